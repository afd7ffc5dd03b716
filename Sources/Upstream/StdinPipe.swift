import NIOCore

/// The way to a process's standard input: writes as fast as the pipe takes it and keeps the rest. Loop-confined.
///
/// A process that closed its standard input makes this inactive, nothing more: what is written from then on is
/// dropped, as it would have been by a process that does not read.
final class StdinPipe: ChannelInboundHandler {
    typealias InboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// In bytes: what may wait before the owner is told to slow down, and what it must fall to before it is told to
    /// go on.
    static let watermark = ChannelOptions.Types.WriteBufferWaterMark(low: 512 * 1024, high: 1024 * 1024)

    private let process: UpstreamProcess
    private var context: ChannelHandlerContext?

    init(_ process: UpstreamProcess) { self.process = process }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// In bytes, flushed or not.
    var queuedBytes: Int {
        guard let context, let options = context.channel.syncOptions else { return 0 }
        // A closed channel has no options, and nothing queued.
        return (try? options.getOption(.bufferedWritableBytes)) ?? 0
    }

    func write(_ buffer: ByteBuffer) {
        context?.write(wrapOutboundOut(buffer), promise: nil)
    }

    func flush() { context?.flush() }

    /// Ends the input once everything that was written has reached the pipe.
    func finish() {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { [self] _ in close() }
    }

    func close() { context?.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        process.stdinWritability(isWritable: context.channel.isWritable, queuedBytes: queuedBytes)
    }

    func channelInactive(context: ChannelHandlerContext) {
        process.stdinClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // EPIPE: the process closed its end. The channel closes itself and says so above.
    }
}
