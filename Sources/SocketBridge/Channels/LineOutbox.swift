internal import JSONRPCWire
internal import NIOCore

/// Lines for one channel: small ones gathered into one buffer, large ones as slices of what was received.
struct LineOutbox {
    private var tail = ByteBuffer()
    private var hasWritten = false

    /// Above this, handing slices to the kernel is cheaper than copying.
    private static let copyLimit = 32 * 1024

    /// Adds one line and its newline.
    mutating func append(_ message: SplicedMessage, to channel: any Channel) {
        if message.byteCount <= Self.copyLimit {
            message.write(to: &tail)
        } else {
            writeTail(to: channel)
            message.forEachPiece { channel.write($0, promise: nil) }
            hasWritten = true
        }
        tail.writeInteger(UInt8(ascii: "\n"))
        if tail.readableBytes > Self.copyLimit { writeTail(to: channel) }
    }

    /// Hands everything to the channel.
    mutating func flush(to channel: any Channel) {
        writeTail(to: channel)
        guard hasWritten else { return }
        hasWritten = false
        channel.flush()
    }

    /// Forgets what was not written.
    mutating func clear() {
        self = LineOutbox()
    }

    private mutating func writeTail(to channel: any Channel) {
        guard tail.readableBytes > 0 else { return }
        channel.write(tail, promise: nil)
        tail = ByteBuffer()
        hasWritten = true
    }
}
