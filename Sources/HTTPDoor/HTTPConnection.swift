internal import Gateway
internal import JSONRPCWire
internal import MCPRouting
internal import NIOCore
internal import NIOHTTP1

/// One connection: takes requests one after the other, and carries the answer of each.
///
/// Confinement: the gateway loop. NIO's pipelining handler before it lets the next request in only when the answer to
/// the last has been written.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Whose answer the connection carries.
    enum Role {
        case none
        case exchange(HTTPSession, HTTPExchange)
        case stream(HTTPSession)
    }

    /// How far the present request has come.
    enum Phase {
        /// None has begun.
        case idle
        /// Its body is being read.
        case reading(HTTPRequest)
        /// It was refused; the answer goes out at its end.
        case discarding(HTTPResponse)
        /// All of it is here; the answer is not complete.
        case answering
        /// It was refused before its end and answered; what still comes is thrown away.
        case lingering
        case closed
    }

    let door: HTTPDoor
    /// `ip:port`, and without the port.
    let peer: String
    let peerAddress: String
    private(set) var phase = Phase.idle
    var role = Role.none
    private var context: ChannelHandlerContext?
    private var keepsAlive = true
    private var isStreaming = false
    /// Whether the present request is a HEAD, whose answer has no body (RFC 9110, 9.3.2).
    private var isHead = false
    /// What lets the page that sent the present request read its answer.
    var pageFields: [(name: String, value: String)] = []
    private var depth = 0
    /// What it was let in with under the rules of that number.
    private var memory = AdmissionMemory()
    private var memoryOf = 0
    /// When the head that is coming, or has to come, began.
    private var headSince: Int?
    /// The door's seconds when the phase began, or when the last bytes were sent in it.
    private(set) var since: Int
    private var isClean = true
    /// How many bytes of answers were written, and how many of them the client had taken at the last look.
    private var written = 0
    private var taken = 0
    /// Since when it has taken none of what waits for it.
    private var stalledSince: Int?
    /// The handler next to the network.
    private let first: FirstBytes

    init(door: HTTPDoor, peer: String, peerAddress: String, first: FirstBytes) {
        self.door = door
        self.first = first
        self.peer = peer
        self.peerAddress = peerAddress
        since = door.seconds
        headSince = door.seconds
    }

    /// Bytes came; the decoder behind may not make a request of them yet.
    func bytesCame() {
        if case .idle = phase, headSince == nil { headSince = door.seconds }
    }

    func enter(_ phase: Phase) {
        if case .reading(let request) = self.phase { door.bodyBytes -= request.body.readableBytes }
        self.phase = phase
        since = door.seconds
    }

    // MARK: - Reading

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        door.connections[ObjectIdentifier(self)] = self
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        gone()
    }

    func channelInactive(context: ChannelHandlerContext) {
        gone()
        context.fireChannelInactive()
    }

    private func gone() {
        guard context != nil else { return }
        context = nil
        enter(.closed)
        door.connections[ObjectIdentifier(self)] = nil
        leaveRole()
    }

    private func leaveRole() {
        let role = self.role
        self.role = .none
        switch role {
        case .none: return
        case .exchange(_, let exchange): if exchange.connection === self { exchange.connection = nil }
        case .stream(let session): session.dropped(self)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        depth += 1
        defer { depth -= 1 }
        switch unwrapInboundIn(data) {
        case .head(let head):
            // What was pipelined behind the last answer of a connection.
            guard case .idle = phase else { return }
            headSince = nil
            keepsAlive = head.isKeepAlive
            isClean = false
            pageFields = []
            isHead = head.method == .HEAD
            begin(head)
        case .body(let bytes):
            guard case .reading(var request) = phase else { return }
            // The phase holds the only other reference to the body's storage.
            phase = .idle
            request.body.writeImmutableBuffer(bytes)
            phase = .reading(request)
            door.bodyBytes += bytes.readableBytes
            checkBody(request)
        case .end:
            isClean = true
            switch phase {
            case .discarding(let response): respond(response)
            case .reading(let request):
                enter(.answering)
                handle(request)
            case .idle, .answering, .lingering, .closed: return
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        switch phase {
        case .idle, .reading, .discarding:
            let isTooLong = error == .headerOverflow
            let status: HTTPStatus = isTooLong ? .headersTooLarge : .badRequest
            let message = isTooLong ? "header is too long" : "request is no HTTP/1.1"
            door.refused(peerAddress, isTooLong ? "headers_too_large" : "bad_http")
            // NIO closes the channel as soon as this returns, so nothing can wait.
            keepsAlive = false
            isClean = true
            write(HTTPResponse.error(status, message))
        case .answering, .lingering, .closed: break
        }
        context.close(promise: nil)
    }

    /// Whether a head passes the door's rules.
    func admit(_ head: RequestHead) -> Result<HTTPIdentity, HTTPRefusal> {
        if memoryOf != door.rulesNumber {
            memory = AdmissionMemory()
            memoryOf = door.rulesNumber
        }
        return memory.admit(head, by: door.rules)
    }

    // MARK: - Answering

    /// Asks for the body (RFC 9110, 10.1.1).
    func writeContinue() {
        let head = HTTPResponseHead(version: .http1_1, status: .continue)
        context?.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    /// The whole answer to the request that has been read.
    func respond(_ response: HTTPResponse) {
        role = .none
        guard let context else { return }
        // The pipelining handler lets the next request in from within the write: a thousand of them would be as deep.
        guard depth <= 8 else {
            phase = .answering
            let bound = NIOLoopBound((self, response), eventLoop: context.eventLoop)
            return context.eventLoop.execute { bound.value.0.respond(bound.value.1) }
        }
        if response.closes || door.isDraining { keepsAlive = false }
        write(response)
    }

    private func write(_ response: HTTPResponse) {
        guard let context else { return }
        var response = response
        response.headers += pageFields
        context.write(wrapOutboundOut(.head(response.head(closes: !keepsAlive))), promise: nil)
        if response.body.readableBytes > 0, !isHead {
            written += response.body.readableBytes
            context.write(wrapOutboundOut(.body(.byteBuffer(response.body))), promise: nil)
        }
        writeEnd()
    }

    /// Ends the answer, and the connection where it is not kept.
    private func writeEnd() {
        guard let context else { return }
        // The next request may come in from within the write.
        enter(keepsAlive ? .idle : isClean ? .closed : .lingering)
        guard !keepsAlive else {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            return watch()
        }
        let channel = context.channel
        // Closing while the client still sends would reset the connection and take the answer with it.
        let mode: CloseMode = isClean ? .all : .output
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in channel.close(mode: mode, promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        watch()
    }

    /// Refuses the request that is being read: at its end when little is to come, else at once.
    func refuse(_ response: HTTPResponse, bodyIsSmall: Bool) {
        if bodyIsSmall { return enter(.discarding(response)) }
        keepsAlive = false
        write(response)
    }

    func beginStream(_ headers: [(name: String, value: String)]) {
        guard let context else { return }
        if door.isDraining { keepsAlive = false }
        isStreaming = true
        let head = HTTPResponse.streamHead(headers + pageFields, closes: !keepsAlive)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        flush()
    }

    func prime(_ id: EventID) {
        var bytes = ByteBuffer()
        ServerSentEvent.priming(id, to: &bytes)
        sendBytes(bytes)
        flush()
    }

    /// Queues one event.
    func send(_ message: ByteBuffer, as id: EventID) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(message.readableBytes + 48)
        ServerSentEvent.message(message, id: id, to: &bytes)
        sendBytes(bytes)
    }

    func keepAlive() {
        sendBytes(ServerSentEvent.keepAlive)
        flush()
    }

    private func sendBytes(_ bytes: ByteBuffer) {
        guard let context, isStreaming else { return }
        context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        written += bytes.readableBytes
        since = door.seconds
    }

    func flush() {
        context?.flush()
        watch()
    }

    /// The end of a stream, and of the answer.
    func endStream() {
        guard context != nil, isStreaming else { return }
        isStreaming = false
        role = .none
        if door.isDraining { keepsAlive = false }
        writeEnd()
    }

    /// Completes when all that was written has gone out; fails when it never will. nil when the connection is gone.
    func whenWritten() -> EventLoopFuture<Void>? {
        first.whenWritten()
    }

    /// Ends the connection unless a request is under way on it; a stream ends. The client may still be taking the last
    /// answer. With `keepsFresh` one whose next request has begun, or that has had none yet, may send it.
    func dropIfIdle(keepsFresh: Bool) {
        switch (phase, role) {
        case (.idle, _) where keepsFresh && headSince != nil: return
        case (.idle, _):
            guard let channel = context?.channel else { return }
            enter(.closed)
            whenWritten()?.whenComplete { _ in channel.close(promise: nil) }
        case (.answering, .stream(let session)):
            session.dropped(self)
            endStream()
        default: return
        }
    }

    /// Ends the connection at once.
    func drop() {
        context?.close(promise: nil)
    }

    // MARK: - Time

    /// Bytes of answers that wait here for the client to take others.
    var queued: Int {
        do {
            return try context?.channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0
        } catch {
            // The option fails only on a closed channel, which has nothing queued.
            return 0
        }
    }

    private func watch() {
        guard let context, !context.channel.isWritable else { return }
        if queued > 4 * door.limits.maxBodyBytes { drop() }
    }

    /// Whether the client has taken nothing for too long. What counts is that it takes, however slowly: a large result
    /// on a narrow line takes its time.
    private func hasStalled(_ queued: Int) -> Bool {
        let before = taken
        taken = written - queued
        guard queued > 0 else {
            stalledSince = nil
            return false
        }
        guard let since = stalledSince, taken <= before else {
            stalledSince = door.seconds
            return false
        }
        return door.seconds - since >= door.limits.stallTimeout
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watch()
        context.fireChannelWritabilityChanged()
    }

    /// Called every second.
    func tick() {
        let limits = door.limits
        let waited = door.seconds - since
        let queued = queued
        if hasStalled(queued) { return drop() }
        switch phase {
        case .idle:
            if waited >= limits.idleTimeout || headSince.map({ door.seconds - $0 >= limits.headTimeout }) == true {
                drop()
            }
        case .reading, .discarding:
            if waited >= limits.bodyTimeout {
                door.refused(peerAddress, "body_timeout")
                refuse(HTTPResponse.error(.requestTimeout, "body did not come in time"), bodyIsSmall: false)
            }
        case .answering:
            guard waited >= limits.silence else { return }
            switch role {
            case .exchange(let session, let exchange): session.silence(of: exchange, on: self)
            case .stream: keepAlive()
            case .none: return
            }
        case .lingering, .closed:
            if waited >= limits.lingerTimeout, queued == 0 { drop() }
        }
    }
}
