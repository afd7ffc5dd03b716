internal import JSONRPCWire
internal import NIOCore

/// What one loop turn has for one destination: newline-framed messages, small ones gathered into one buffer, large
/// ones as slices of what was received. Nothing leaves before the turn's audit records are written.
struct Outbox {
    private var full: [ByteBuffer] = []
    private var tail = ByteBuffer()
    /// Bytes gathered and not handed out.
    private(set) var byteCount = 0

    /// Above this, handing slices to the kernel is cheaper than copying.
    private static let copyLimit = 32 * 1024

    var isEmpty: Bool { byteCount == 0 }

    /// Adds one message and its newline.
    mutating func append(_ message: SplicedMessage) {
        let size = message.byteCount
        byteCount += size + 1
        if size <= Self.copyLimit {
            message.write(to: &tail)
        } else {
            seal()
            message.forEachPiece { full.append($0) }
        }
        tail.writeInteger(UInt8(ascii: "\n"))
    }

    /// Takes everything out, in order.
    mutating func take() -> [ByteBuffer] {
        seal()
        defer {
            full.removeAll(keepingCapacity: true)
            byteCount = 0
        }
        return full
    }

    /// Takes everything out when it is one buffer, as it nearly always is, without an array.
    mutating func takeSingle() -> ByteBuffer? {
        guard full.isEmpty else { return nil }
        defer {
            tail = ByteBuffer()
            byteCount = 0
        }
        return tail
    }

    private mutating func seal() {
        guard tail.readableBytes > 0 else { return }
        full.append(tail)
        tail = ByteBuffer()
    }
}
