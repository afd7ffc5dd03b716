internal import Gateway
internal import MCPRouting
internal import NIOCore

/// One client's session over HTTP: its open POSTs, its GET streams and the events that it may come back for.
///
/// Confinement: the gateway loop.
final class HTTPSession: ExchangeChannel, ExchangeHolder {
    /// `Mcp-Session-Id`.
    let key: String
    /// Who opened it; nobody else may use it.
    let owner: HTTPIdentity
    /// Set as soon as the gateway has taken the session in.
    var id: SessionID?
    private unowned let door: HTTPDoor
    private var exchanges = OpenExchanges()
    /// Oldest first.
    private var streams: [HTTPConnection] = []
    private var hadStream = false
    private var store = EventStore()
    private var held = HeldRequests()

    init(owner: HTTPIdentity, door: HTTPDoor) {
        key = SessionKey.mint()
        self.owner = owner
        self.door = door
    }

    /// The protocol revision that the client was told.
    private var revision: String? { id.flatMap { door.gateway.revision(of: $0) } }

    /// Whether events come with a priming one first (2025-11-25, transports, "Sending Messages to the Server").
    private var primes: Bool { (revision ?? "") >= "2025-11-25" }

    // MARK: - From the client

    /// Runs `body` now, or when the gateway wants to read this client again. False when too much waits for that already.
    func whenReading(_ byteCount: Int, _ body: @escaping () -> Void) -> Bool {
        switch held.take(byteCount, limit: door.limits.maxBodyBytes, body) {
        case .now: body()
        case .later: break
        case .refuse: return false
        }
        return true
    }

    /// Begins the answer to a POST on its connection.
    func begin(_ kind: HTTPExchange.Kind, status: HTTPStatus, on connection: HTTPConnection) -> HTTPExchange {
        // Whoever calls after his stream has ended is not gone.
        if streams.isEmpty { hadStream = false }
        return exchanges.begin(kind, status: status, on: connection)
    }

    /// A GET: the session's own stream, or what the client missed of another one. nil when it has too many.
    func open(_ connection: HTTPConnection, after id: EventID?) -> HTTPConnection.Role? {
        guard streams.count < door.limits.maxStreamsPerSession else { return nil }
        let resumption = store.resume(after: id) { exchanges[Exchange(number: $0)] != nil }
        connection.beginStream([])
        switch resumption {
        case .missed(let stream, let events) where stream != 0:
            for event in events { connection.send(event.message, as: event.id) }
            guard let exchange = exchanges[Exchange(number: stream)] else {
                connection.endStream()
                return HTTPConnection.Role.none
            }
            // The client has given that connection up, even if we have not noticed.
            exchange.connection?.drop()
            exchange.connection = connection
            _ = exchange.state.silence()
            connection.flush()
            return .exchange(self, exchange)
        case .missed(_, let events):
            for event in events { connection.send(event.message, as: event.id) }
        case .anew: break
        }
        streams.append(connection)
        hadStream = true
        if primes { connection.prime(store.mint(0)) }
        for event in store.takeUnsent(of: 0) { connection.send(event.message, as: event.id) }
        connection.flush()
        return .stream(self)
    }

    /// A call goes on: the client may come back for its answer.
    func clientGone(from exchange: HTTPExchange) {
        exchange.connection = nil
    }

    /// A GET stream's connection is gone.
    func dropped(_ connection: HTTPConnection) {
        streams.removeAll { $0 === connection }
    }

    // MARK: - From the gateway

    func write(_ message: ByteBuffer, of id: Exchange) {
        if id == .session {
            let stream = streams.first
            let event = store.add(message, to: 0, isSent: stream != nil)
            stream?.send(message, as: event)
        } else {
            exchanges.queue(message, of: id)
        }
    }

    func exchangeEnded(_ id: Exchange) {
        exchanges.end(id)
    }

    func write(_ bytes: ByteBuffer) {
        write(bytes, of: .session)
    }

    func flush() {
        for (exchange, messages) in exchanges.takeTurn() { settle(exchange, messages) }
        for stream in streams { stream.flush() }
        if door.isDraining, exchanges.isEmpty { end() }
    }

    private func settle(_ exchange: HTTPExchange, _ messages: [ByteBuffer]) {
        guard let connection = exchange.connection else {
            for message in messages { _ = store.add(message, to: exchange.id.number, isSent: false) }
            return
        }
        switch exchange.state.turn(messages.count, ended: exchange.hasEnded) {
        case .wait: return
        case .json:
            connection.respond(
                HTTPResponse(
                    status: exchange.status, headers: keyHeader(exchange), contentType: "application/json",
                    body: messages[0]))
        case .nothing where exchange.kind == .batch:
            connection.respond(HTTPResponse(status: .accepted))
        case .nothing:
            connection.beginStream([])
            connection.endStream()
        case .events(let begins, let ends):
            if begins { beginStream(exchange, connection) }
            for message in messages {
                connection.send(message, as: store.add(message, to: exchange.id.number, isSent: true))
            }
            if ends { connection.endStream() } else { connection.flush() }
        }
        if exchange.hasEnded { exchange.connection = nil }
        // Its key was never told to anyone.
        if exchange.hasEnded, exchange.kind == .initialize, revision == nil { end() }
    }

    /// Ends the session in a turn of its own: the gateway is handing over this one's messages.
    private func end() {
        guard let id else { return }
        let gateway = NIOLoopBound(door.gateway, eventLoop: door.gateway.eventLoop)
        door.gateway.eventLoop.execute { gateway.value.sessionEnded(by: id) }
    }

    private func keyHeader(_ exchange: HTTPExchange) -> [(name: String, value: String)] {
        exchange.kind == .initialize && revision != nil ? [("Mcp-Session-Id", key)] : []
    }

    private func beginStream(_ exchange: HTTPExchange, _ connection: HTTPConnection) {
        connection.beginStream(exchange.kind == .initialize ? [("Mcp-Session-Id", key)] : [])
        if primes { connection.prime(store.mint(exchange.id.number)) }
    }

    /// An exchange's client has heard nothing for a while.
    func silence(of exchange: HTTPExchange, on connection: HTTPConnection) {
        if exchange.state.silence() { beginStream(exchange, connection) }
        connection.keepAlive()
    }

    var hasOpenExchanges: Bool { !exchanges.isEmpty }

    // MARK: - ClientChannel

    /// Each connection is watched by itself: one that stalls must not end the others.
    var queuedBytes: Int { 0 }
    var slowsUpstream: Bool { false }
    /// Who keeps a stream open is there.
    var expiresWhenIdle: Bool { streams.isEmpty }
    var presence: ClientPresence { !streams.isEmpty || !exchanges.isEmpty ? .present : hadStream ? .gone : .unknown }

    func setReading(_ isReading: Bool) {
        for body in held.set(isReading) { body() }
    }

    func close(isAbrupt: Bool, _ closed: @escaping () -> Void) {
        door.forget(self)
        exchanges.close(with: .error(.notFound, code: -32001, "session has ended"))
        for stream in streams { stream.endStream() }
        streams.removeAll()
        // What was held finds its session gone.
        setReading(true)
        // The end of the process must not overtake an answer that a client is still taking.
        if door.gateway.isServing || isAbrupt { closed() } else { door.whenWritten(closed) }
    }
}
