internal import NIOCore

/// Reports what happens on the client's pipes.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let runner: BridgeRunner

    init(runner: BridgeRunner) {
        self.runner = runner
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        runner.clientRead(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        runner.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        runner.updateReading()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { runner.clientEnded() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A failed read or write: the pipes are beyond use, and channelInactive tells the runner.
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        runner.clientGone()
    }
}

/// Reports what happens on one connection to the daemon.
final class DaemonHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let runner: BridgeRunner

    init(runner: BridgeRunner) {
        self.runner = runner
    }

    func channelActive(context: ChannelHandlerContext) {
        runner.daemonConnected(context.channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        runner.daemonRead(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        runner.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        runner.updateReading()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        runner.daemonLost()
    }
}
