internal import Gateway
internal import MCPRouting
internal import NIOCore

/// One client on a byte stream: its NIO channel as the gateway uses it.
final class LineChannel: ClientChannel {
    private let channel: any Channel
    /// Whether it is the only client that there can be: it is never closed, but slows its upstream instead.
    var isLone: Bool
    private var isReading = true

    init(channel: any Channel, isLone: Bool) {
        self.channel = channel
        self.isLone = isLone
    }

    var slowsUpstream: Bool { isLone }
    var expiresWhenIdle: Bool { !isLone }

    func write(_ bytes: ByteBuffer) {
        channel.write(bytes, promise: nil)
    }

    func flush() {
        channel.flush()
    }

    /// Exact above the high water mark, 0 below: nobody asks for the difference, and asking costs.
    var queuedBytes: Int {
        guard channel.isActive, !channel.isWritable else { return 0 }
        do {
            return try channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0
        } catch {
            // The option fails only on a closed channel, which has nothing queued.
            return 0
        }
    }

    func setReading(_ isReading: Bool) {
        guard isReading != self.isReading, channel.isActive else { return }
        self.isReading = isReading
        do {
            try channel.syncOptions?.setOption(.autoRead, value: isReading)
        } catch {
            // The option fails only on a closed channel, which reads nothing any more.
            return
        }
    }

    func close(isAbrupt: Bool, _ closed: @escaping () -> Void) {
        let done = NIOLoopBound(closed, eventLoop: channel.eventLoop)
        guard !isAbrupt else {
            channel.closeFuture.whenComplete { _ in done.value() }
            return channel.close(promise: nil)
        }
        let channel = channel
        // A client that never takes its last bytes would keep them, and a descriptor, for ever.
        let patience = channel.eventLoop.scheduleTask(in: .seconds(10)) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in
            patience.cancel()
            done.value()
        }
        // An empty write behind everything queued: when it is done, the client has all of it.
        channel.writeAndFlush(ByteBuffer()).whenComplete { _ in channel.close(promise: nil) }
    }
}

/// Hands a channel's bytes and its end to the gateway.
final class LineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let gateway: Gateway
    private let session: SessionID

    init(gateway: Gateway, session: SessionID) {
        self.gateway = gateway
        self.session = session
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        gateway.received(unwrapInboundIn(data), from: session)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { gateway.inputEnded(session) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        gateway.drained(session)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A failed read or write: the connection is beyond use, and channelInactive tells the gateway.
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        gateway.lost(session)
        context.fireChannelInactive()
    }
}

/// Options that every line channel has.
enum LineChannelOptions {
    /// 1 MiB is where the gateway stops reading a client that does not take its answers.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 512 * 1024, high: 1024 * 1024)
    static let receive = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 8192, maximum: 256 * 1024)
}
