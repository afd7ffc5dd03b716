internal import NIOCore

/// The client's messages while there is no daemon, in order and bounded.
struct WaitingLines {
    private var lines: [ByteBuffer] = []
    private var byteCount = 0

    var isEmpty: Bool { lines.isEmpty }

    /// Whether there was room. Keeps a copy: the line may be a small part of a large buffer.
    mutating func append(_ line: ByteBuffer) -> Bool {
        guard lines.count < BridgeLimits.waitingLines,
            byteCount + line.readableBytes <= BridgeLimits.waitingBytes
        else { return false }
        lines.append(line.compacted())
        byteCount += line.readableBytes
        return true
    }

    /// Puts lines before all others, beyond the caps: they were taken once already.
    mutating func putBack(_ first: [ByteBuffer]) {
        lines.insert(contentsOf: first, at: 0)
        byteCount += first.reduce(0) { $0 + $1.readableBytes }
    }

    /// All of them, and none is left.
    mutating func takeAll() -> [ByteBuffer] {
        defer {
            lines.removeAll()
            byteCount = 0
        }
        return lines
    }
}

extension ByteBuffer {
    /// The same bytes in memory of their own size.
    func compacted() -> ByteBuffer {
        var copy = ByteBuffer()
        copy.reserveCapacity(readableBytes)
        copy.writeImmutableBuffer(self)
        return copy
    }
}
