internal import JSONRPCWire
internal import NIOCore

/// Lines for one channel until the end of a turn: small ones gathered into one buffer, large ones as slices of what was
/// received.
struct LineOutbox {
    private var full: [ByteBuffer] = []
    private var tail = ByteBuffer()

    /// Above this, handing slices to the kernel is cheaper than copying.
    private static let copyLimit = 32 * 1024

    /// Adds one line and its newline.
    mutating func append(_ message: SplicedMessage) {
        if message.byteCount <= Self.copyLimit {
            message.write(to: &tail)
        } else {
            seal()
            message.forEachPiece { full.append($0) }
        }
        tail.writeInteger(UInt8(ascii: "\n"))
    }

    /// Takes everything out, in order.
    ///
    /// It is for the caller to write it, with no access to the outbox under way: a write that fails closes the channel,
    /// which comes back here at once.
    mutating func take() -> [ByteBuffer] {
        seal()
        guard !full.isEmpty else { return [] }
        defer { full.removeAll() }
        return full
    }

    private mutating func seal() {
        guard tail.readableBytes > 0 else { return }
        full.append(tail)
        tail = ByteBuffer()
    }
}
