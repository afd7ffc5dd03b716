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
    private var exchanges: [Exchange: HTTPExchange] = [:]
    private var lastExchange: UInt32 = 0
    private var changed: [HTTPExchange] = []
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
        repeat { lastExchange &+= 1 } while lastExchange == 0 || exchanges[Exchange(number: lastExchange)] != nil
        let exchange = HTTPExchange(Exchange(number: lastExchange), .requests, status: .ok, connection: connection)
        exchanges[exchange.id] = exchange
        return exchange
    }

    /// Closing the connection is how a request is cancelled in this era ("Cancellation").
    func clientGone(from exchange: HTTPExchange) {
        exchange.connection = nil
        guard let id, exchanges[exchange.id] != nil else { return }
        door.gateway.dropped(exchange.id, of: id)
    }

    // MARK: - From the gateway

    func write(_ message: ByteBuffer, of id: Exchange) {
        guard let exchange = exchanges[id] else { return }
        if exchange.queued.isEmpty, !exchange.hasEnded { changed.append(exchange) }
        exchange.queued.append(message)
    }

    func exchangeEnded(_ id: Exchange) {
        guard let exchange = exchanges[id], !exchange.hasEnded else { return }
        if exchange.queued.isEmpty { changed.append(exchange) }
        exchange.hasEnded = true
    }

    /// There is no stream for what belongs to no request.
    func write(_ bytes: ByteBuffer) {}

    func flush() {
        let turn = changed
        changed.removeAll(keepingCapacity: true)
        for exchange in turn { settle(exchange) }
        if door.isDraining, exchanges.isEmpty { door.end(self) }
    }

    private func settle(_ exchange: HTTPExchange) {
        let messages = exchange.queued
        exchange.queued.removeAll(keepingCapacity: true)
        if exchange.hasEnded {
            exchanges[exchange.id] = nil
            idleSince = door.seconds
        }
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

    func setReading(_ isReading: Bool) {
        for body in held.set(isReading) { body() }
    }

    func close(isAbrupt: Bool, _ closed: @escaping () -> Void) {
        hasEnded = true
        door.forget(self)
        for exchange in exchanges.values {
            guard let connection = exchange.connection else { continue }
            exchange.connection = nil
            if exchange.state.isStreaming {
                connection.endStream()
            } else {
                connection.respond(.error(.unavailable, code: -32603, "the gateway has ended this client's requests"))
            }
        }
        exchanges.removeAll()
        changed.removeAll()
        // What was held finds its peer gone.
        setReading(true)
        if door.gateway.isServing || isAbrupt { closed() } else { door.whenWritten(closed) }
    }
}

/// The status of an answer in JSON: errors of the protocol have one of their own.
enum ModernStatus {
    static func of(_ message: ByteBuffer, within maxDepth: Int) -> HTTPStatus {
        guard mayBeError(message), case .message(let scan) = MessageScanner(maxDepth: maxDepth).scan(message),
            scan.kind == .error, let code = JSONText.integer(scan[.errorCode], in: message)
        else { return .ok }
        return ProtocolError.httpStatus(of: code).flatMap(HTTPStatus.init(rawValue:)) ?? .ok
    }

    /// Results are long and errors are not, so that only the latter are scanned once more.
    private static func mayBeError(_ message: ByteBuffer) -> Bool {
        message.readableBytes <= 16 * 1024 && message.readableBytesView.contains("\"error\"".utf8)
    }
}

extension ByteBufferView {
    fileprivate func contains(_ word: String.UTF8View) -> Bool {
        let word = Array(word)
        guard count >= word.count else { return false }
        return (startIndex...(endIndex - word.count)).contains { self[$0] == word[0] && self[$0...].starts(with: word) }
    }
}
