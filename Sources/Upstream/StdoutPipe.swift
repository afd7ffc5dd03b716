import NIOCore

/// What a process writes to its standard output. Loop-confined; reads nothing until it is told to.
final class StdoutPipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let process: UpstreamProcess
    private var context: ChannelHandlerContext?

    init(_ process: UpstreamProcess) { self.process = process }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func setReading(_ reading: Bool) {
        // Fails only on a channel that has closed meanwhile, where there is nothing to read.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: reading)
    }

    func close() { context?.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        process.received(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        process.readCompleted()
    }

    func channelInactive(context: ChannelHandlerContext) {
        process.stdoutClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A pipe that cannot be read is as good as ended, and the channel must not linger half dead.
        context.close(promise: nil)
    }
}
