internal import NIOCore

/// Stands between the network, or its TLS, and HTTP. Tells a connection of bytes that the decoder may keep, so that a
/// head that trickles in has a time-out, and when all that was written has gone out.
///
/// NIO's pipelining handler stops reading while an answer is under way. That would cost two calls of epoll_ctl a request,
/// so here reading goes on until something comes, which most clients send only when they have their answer.
///
/// Confinement: the gateway loop.
final class FirstBytes: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// In the same pipeline, and let go of with it.
    var connection: HTTPConnection?
    private var context: ChannelHandlerContext?
    /// Whether something has come during an answer, and waits for its end.
    private var isAhead = false

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        connection = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection?.bytesCame()
        if connection?.isAnswering == true { isAhead = true }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if !isAhead, connection?.isAnswering == true { context.read() }
    }

    func read(context: ChannelHandlerContext) {
        // Nothing waits behind any more, or the pipelining handler would not ask.
        isAhead = false
        context.read()
    }

    /// Completes when all that was written before has gone out; fails when it never will. nil when the connection is gone.
    func whenWritten() -> EventLoopFuture<Void>? {
        guard let context else { return nil }
        let promise = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
        return promise.futureResult
    }
}
