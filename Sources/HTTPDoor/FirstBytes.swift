internal import NIOCore

/// Stands between the network, or its TLS, and HTTP. Tells a connection of bytes that the decoder may keep, so that a
/// head that trickles in has a time-out, and when all that was written has gone out.
///
/// Confinement: the gateway loop.
final class FirstBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// In the same pipeline, and let go of with it.
    var connection: HTTPConnection?
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        connection = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection?.bytesCame()
        context.fireChannelRead(data)
    }

    /// Completes when all that was written before has gone out; fails when it never will. nil when the connection is gone.
    func whenWritten() -> EventLoopFuture<Void>? {
        guard let context else { return nil }
        let promise = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
        return promise.futureResult
    }
}
