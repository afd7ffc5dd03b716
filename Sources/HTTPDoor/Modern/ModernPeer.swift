internal import EraTranslation
internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import MCPRouting
internal import NIOCore

/// A session of a client of the modern era (2026-07-28, transports/streamable-http): every POST stands by itself, there is
/// no `Mcp-Session-Id`, no GET stream and nothing to come back for. The session is the gateway's own notion; which POSTs
/// share one is said at ``HTTPDoor/peer(for:from:_:)``.
///
/// Confinement: the gateway loop.
final class ModernPeer: ExchangeChannel, ExchangeHolder {
    /// Address, token and the client's own description of itself.
    struct Key: Hashable {
        var address: String
        var identity: HTTPIdentity
        /// `clientInfo` as sent; empty when there is none, or one too long to keep.
        var client: [UInt8]
    }

    let key: Key
    /// What the calls that it takes may ask their client, which then come one at a time; none for one that takes all others.
    let features: ClientFeatures
    var mayBeAsked: Bool { features != [] }
    private(set) var hasEnded = false
    /// Set as soon as the gateway has taken the peer in.
    var id: SessionID?
    private unowned let door: HTTPDoor
    private var exchanges = OpenExchanges()
    private var held = HeldRequests()
    /// The door's seconds when its last exchange ended.
    private(set) var idleSince: Int

    init(_ key: Key, _ features: ClientFeatures, door: HTTPDoor) {
        self.key = key
        self.features = features
        self.door = door
        idleSince = door.seconds
    }

    // MARK: - From the client

    /// Like ``HTTPSession/whenReading(_:_:)``.
    func whenReading(_ byteCount: Int, _ body: @escaping () -> Void) -> Bool {
        switch held.take(byteCount, limit: door.limits.maxBodyBytes, body) {
        case .now: body()
        case .later: break
        case .refuse: return false
        }
        return true
    }

    /// Begins the answer to a POST on its connection.
    func begin(on connection: HTTPConnection) -> HTTPExchange {
        exchanges.begin(.requests, status: .ok, on: connection)
    }

    /// Closing the connection is how a request is cancelled in this era ("Cancellation").
    func clientGone(from exchange: HTTPExchange) {
        exchange.connection = nil
        guard let id, exchanges[exchange.id] != nil else { return }
        door.gateway.dropped(exchange.id, of: id)
    }

    // MARK: - From the gateway

    func write(_ message: ByteBuffer, of id: Exchange) {
        exchanges.queue(message, of: id)
    }

    func exchangeEnded(_ id: Exchange) {
        exchanges.end(id)
    }

    /// There is no stream for what belongs to no request.
    func write(_ bytes: ByteBuffer) {}

    func flush() {
        for (exchange, messages) in exchanges.takeTurn() { settle(exchange, messages) }
        if door.isDraining, exchanges.isEmpty { door.end(self) }
    }

    private func settle(_ exchange: HTTPExchange, _ messages: [ByteBuffer]) {
        if exchange.hasEnded { idleSince = door.seconds }
        guard let connection = exchange.connection else { return }
        if exchange.hasEnded { exchange.connection = nil }
        switch exchange.state.turn(messages.count, ended: exchange.hasEnded) {
        case .wait: return
        case .json:
            let status = ModernStatus.of(messages[0], within: door.gateway.snapshot.settings.limits.maxDepth)
            connection.respond(HTTPResponse(status: status, contentType: "application/json", body: messages[0]))
        case .nothing:
            connection.beginStream([])
            connection.endStream()
        case .events(let begins, let ends):
            if begins { connection.beginStream([]) }
            for message in messages { connection.send(message, as: nil) }
            if ends { connection.endStream() } else { connection.flush() }
        }
    }

    func silence(of exchange: HTTPExchange, on connection: HTTPConnection) {
        if exchange.state.silence() { connection.beginStream([]) }
        connection.keepAlive()
    }

    // MARK: - ClientChannel

    /// Each connection is watched by itself.
    var queuedBytes: Int { 0 }
    var slowsUpstream: Bool { false }
    var hasOpenExchanges: Bool { !exchanges.isEmpty }
    var expiresWhenIdle: Bool { exchanges.isEmpty }
    var presence: ClientPresence { exchanges.isEmpty ? .unknown : .present }

    func setReading(_ isReading: Bool) {
        for body in held.set(isReading) { body() }
    }

    func close(isAbrupt: Bool, _ closed: @escaping () -> Void) {
        hasEnded = true
        door.forget(self)
        exchanges.close(with: .error(.unavailable, code: -32603, "the gateway has ended this client's requests"))
        // What was held finds its peer gone.
        setReading(true)
        if door.gateway.isServing || isAbrupt { closed() } else { door.whenWritten(closed) }
    }
}
