internal import NIOCore

/// One connection of the server end: cuts lines, answers them, ends what is idle, too long or not read.
///
/// Confinement: the server's event loop, as every channel handler's.
final class ControlConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: ControlServer
    private let channel: any Channel
    private var received = ByteBuffer()
    private var idle: Scheduled<Void>?
    private var isEnding = false
    private(set) var isSubscribed = false

    /// Why it is closed as soon as it can be told; nil for one that is served.
    let refusal: String?

    init(server: ControlServer, channel: any Channel, refusal: String?) {
        self.server = server
        self.channel = channel
        self.refusal = refusal
    }

    /// Nothing can be written before.
    func channelActive(context: ChannelHandlerContext) {
        if let refusal { refuse(refusal) } else { waitForRequest() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard !isEnding else { return }
        received.writeBuffer(&bytes)
        while !isEnding, let end = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let length = end - received.readerIndex
            // Found, hence readable.
            guard length < server.limits.line, let line = received.readBytes(length: length) else { return tooLong() }
            received.moveReaderIndex(forwardBy: 1)
            answer(line)
        }
        if !isEnding, received.readableBytes >= server.limits.line { return tooLong() }
        received.discardReadBytes()
    }

    func channelInactive(context: ChannelHandlerContext) {
        idle?.cancel()
        idle = nil
        isEnding = true
        server.ended(self)
    }

    /// A connection that broke is only closed: there is nobody left to tell.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Writes one line, unless the peer has left so much unread that it is dropped.
    func send(_ reply: ControlReply) {
        guard !isEnding else { return }
        guard channel.isWritable else { return end() }
        do {
            write(try ControlJSON.line(reply))
        } catch {
            // Only a number that JSON has no word for can fail, and none is ever put in.
            refuse("the answer cannot be encoded: \(error)")
        }
    }

    /// Says why and closes.
    private func refuse(_ reason: String) {
        isEnding = true
        idle?.cancel()
        // A line of one string can be encoded.
        if let line = try? ControlJSON.line(ControlReply(error: reason)) { write(line) }
        channel.close(promise: nil)
    }

    /// Closes without a word.
    func end() {
        isEnding = true
        idle?.cancel()
        channel.close(promise: nil)
    }

    private func answer(_ line: [UInt8]) {
        let request: ControlRequest
        do {
            request = try ControlJSON.decode(ControlRequest.self, from: line)
        } catch {
            return refuse(#"not a request: say {"op":"status"} or {"op":"reloads"}"#)
        }
        switch request.op {
        case .status:
            send(ControlReply(status: server.report()))
        case .reloads:
            isSubscribed = true
            send(ControlReply(subscribed: true))
        }
        if !isEnding { waitForRequest() }
    }

    /// Only a whole request counts: a peer that sends a byte now and then is idle as well.
    private func waitForRequest() {
        idle?.cancel()
        idle = nil
        guard !isSubscribed else { return }
        let limit = server.limits.idle
        idle = channel.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in
            self?.refuse("no request within \(limit.nanoseconds / 1_000_000_000) s")
        }
    }

    private func tooLong() {
        refuse("a request has less than \(server.limits.line) bytes")
    }

    private func write(_ line: [UInt8]) {
        var buffer = channel.allocator.buffer(capacity: line.count + 1)
        buffer.writeBytes(line)
        buffer.writeInteger(UInt8(ascii: "\n"))
        channel.writeAndFlush(buffer, promise: nil)
    }
}
