internal import NIOCore

/// Stops a connection's bytes at ``MetricsDoor/largestHead``: no request of ours is longer. The parser behind it has
/// caps of its own, which are larger.
final class HeadLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// More came.
    struct Exceeded: Error {}

    private var received = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let before = received
        received += unwrapInboundIn(data).readableBytes
        guard received > MetricsDoor.largestHead else { return context.fireChannelRead(data) }
        if before <= MetricsDoor.largestHead { context.fireErrorCaught(Exceeded()) }
    }
}
