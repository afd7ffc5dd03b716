public import Gateway
public import GatewayConfiguration
internal import GatewayEvents
public import Logging
internal import MCPRouting
public import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// The Streamable HTTP door (MCP transports, revisions 2025-03-26 to 2025-11-25): one path for POST, GET and DELETE.
///
/// Confinement: the gateway loop, which accepts as well as serves.
public final class HTTPDoor {
    /// What it was opened with, or changed to.
    public private(set) var settings: HTTPDoorSettings
    /// Whether `/readyz` answers 200; asked for each such request. Without it the door is ready while the gateway
    /// serves.
    public var isReady: () -> Bool
    let gateway: Gateway
    let logger: Logger
    /// What heads have to pass.
    private(set) var rules: HTTPRules
    /// Changes with ``rules``.
    private(set) var rulesNumber = 0
    private(set) var limits: HTTPDoorLimits
    /// By `Mcp-Session-Id`.
    var sessions: [String: HTTPSession] = [:]
    var connections: [ObjectIdentifier: HTTPConnection] = [:]
    /// Of all bodies that are on their way.
    var bodyBytes = 0
    /// Whole seconds since it opened.
    private(set) var seconds = 0
    private(set) var isDraining = false
    private var tls: TLSContext?
    private let bound: SocketAddress
    private var guardian = HTTPGuard()
    private var listener: (any Channel)?
    /// Who waits for ``whenWritten(_:)``.
    private var waiting: [() -> Void] = []
    private var ticks: RepeatedTask?

    private init(_ place: Place, _ gateway: Gateway, _ logger: Logger) {
        settings = place.settings
        bound = place.address
        tls = place.tls
        self.gateway = gateway
        self.logger = logger
        rules = Self.rules(place.settings, place.address)
        limits = HTTPDoorLimits(
            maxBodyBytes: gateway.snapshot.settings.limits.maxMessageBytes,
            maxConnections: place.settings.maxConnections)
        isReady = { gateway.isServing }
        for warning in place.tls?.warnings ?? [] { logger.warning("proxy.http.tls: \(warning)") }
    }

    private static func rules(_ settings: HTTPDoorSettings, _ address: SocketAddress) -> HTTPRules {
        HTTPRules(
            settings, address: address.ipAddress ?? settings.host, port: address.port ?? settings.port,
            protocolVersions: Gateway.protocolVersions)
    }

    /// Takes the address of `settings` and listens. Call on the gateway loop; fails with an ``HTTPDoorError``.
    public static func open(
        _ settings: HTTPDoorSettings, _ gateway: Gateway, _ logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<HTTPDoor>> {
        open(settings, gateway, logger, ticksByItself: true)
    }

    static func open(
        _ settings: HTTPDoorSettings, _ gateway: Gateway, _ logger: Logger, ticksByItself: Bool
    ) -> EventLoopFuture<NIOLoopBound<HTTPDoor>> {
        let parts = NIOLoopBound((gateway, logger), eventLoop: gateway.eventLoop)
        return place(settings, on: gateway.eventLoop).flatMap { place in
            let (gateway, logger) = parts.value
            return open(place, gateway, logger, ticksByItself: ticksByItself)
        }
    }

    /// Serves those who connect to a place. Takes it over. Call on the gateway loop.
    public static func open(
        _ place: Place, _ gateway: Gateway, _ logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<HTTPDoor>> {
        open(place, gateway, logger, ticksByItself: true)
    }

    private static func open(
        _ place: Place, _ gateway: Gateway, _ logger: Logger, ticksByItself: Bool
    ) -> EventLoopFuture<NIOLoopBound<HTTPDoor>> {
        let loop = gateway.eventLoop
        let door = NIOLoopBound(HTTPDoor(place, gateway, logger), eventLoop: loop)
        return ServerBootstrap(group: loop)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 512 * 1024, high: 1024 * 1024))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try door.value.welcome(channel) }
            }
            .withBoundSocket(place.descriptor)
            .flatMapThrowing { listener in
                // NIO listens on a socket that it is given with a backlog of 128, whatever the option says: beyond it a
                // crowd that connects at once waits a second for its next try.
                try place.listen()
                door.value.begin(listener, ticksByItself)
                return door
            }
    }

    /// Where it listens; nil once closed.
    public var address: SocketAddress? { listener?.localAddress }

    /// What clients are given.
    public var url: String {
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        return "\(tls == nil ? "http" : "https")://\(host):\(bound.port ?? settings.port)\(settings.path)"
    }

    /// How many connections are open.
    public var connectionCount: Int { connections.count }

    /// Takes what a reload changed without another address, as one step: sessions whose token is gone end here; new
    /// connections get the new certificates. Call right after the swap, having called ``check(_:)`` before it. Throws
    /// what that would have thrown, and changes nothing then.
    public func change(to next: HTTPDoorSettings) throws(HTTPDoorError) {
        if next.tls != settings.tls {
            tls = try Self.tls(next)
            for warning in tls?.warnings ?? [] { logger.warning("proxy.http.tls: \(warning)") }
        }
        settings = next
        rules = Self.rules(next, bound)
        rulesNumber += 1
        limits.maxConnections = next.maxConnections
        adopt()
        endRevoked()
    }

    private func endRevoked() {
        for session in Array(sessions.values) where !rules.admitsStill(session.owner) {
            if let id = session.id { gateway.sessionEnded(by: id) }
        }
    }

    /// Stops accepting: a reload has done away with this door, or `next` is another address. Sessions whose token is gone
    /// with it end at once. Open exchanges finish; then their sessions and connections end. On the loop.
    public func close(for next: HTTPDoorSettings?) {
        if let next {
            rules = Self.rules(next, bound)
            rulesNumber += 1
            endRevoked()
        }
        listener?.close(promise: nil)
        listener = nil
        drain()
    }

    /// The gateway is ending: the same, but those who come are told so as long as there is a process. On the loop.
    public func drain() {
        guard !isDraining else { return }
        isDraining = true
        for connection in connections.values { connection.dropIfIdle(keepsFresh: listener != nil) }
        for session in Array(sessions.values) { endIfDone(session) }
        for record in guardian.end() { gateway.refusedHTTP(record.block, peer: record.peer) }
        stopIfDone()
    }

    // MARK: - For connections and sessions

    /// Tells the audit of a refusal. `reason` is a word of ours, `detail` the client's, at most 100 bytes.
    func refused(_ peer: String, _ reason: String, _ detail: String? = nil) {
        let now = gateway.clock.now().monotonic
        for record in guardian.refused(peer: peer, reason: reason, detail: detail, now: now) {
            gateway.refusedHTTP(record.block, peer: record.peer)
        }
    }

    func forget(_ session: HTTPSession) {
        sessions[session.key] = nil
    }

    func endIfDone(_ session: HTTPSession) {
        guard !session.hasOpenExchanges, let id = session.id else { return }
        gateway.sessionEnded(by: id)
    }

    func health(_ path: Substring, _ method: HTTPMethod) -> HTTPResponse {
        guard method == .GET else {
            var response = HTTPResponse.error(.methodNotAllowed, "method is not allowed (allowed: GET)")
            response.headers = [("Allow", "GET")]
            return response
        }
        let isWell = path == "/healthz" || isReady() && !isDraining
        return isWell ? .text(.ok, "ok\n") : .text(.unavailable, "not ready\n")
    }

    /// Calls `body` when what has been written in this turn has gone out on every connection, but no later than in ten
    /// seconds.
    func whenWritten(_ body: @escaping () -> Void) {
        waiting.append(body)
        guard waiting.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        gateway.eventLoop.execute { bound.value.awaitWrites() }
    }

    private func awaitWrites() {
        let loop = gateway.eventLoop
        let bodies = NIOLoopBound(waiting, eventLoop: loop)
        waiting.removeAll()
        let done = loop.makePromise(of: Void.self)
        let limit = loop.scheduleTask(in: .seconds(10)) { done.succeed() }
        let pending = connections.values.compactMap { $0.whenWritten() }
        EventLoopFuture.andAllComplete(pending, on: loop).whenComplete { _ in done.succeed() }
        done.futureResult.whenComplete { _ in
            limit.cancel()
            for body in bodies.value { body() }
        }
    }

    // MARK: - Its own

    private func begin(_ listener: any Channel, _ ticksByItself: Bool) {
        self.listener = listener
        guard ticksByItself else { return }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        ticks = gateway.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.tick()
        }
    }

    private func welcome(_ channel: any Channel) throws {
        let address = channel.remoteAddress
        let host = address?.ipAddress ?? "unknown"
        let peer = address?.port.map { host.contains(":") ? "[\(host)]:\($0)" : "\(host):\($0)" } ?? host
        let operations = channel.pipeline.syncOperations
        guard connections.count < limits.maxConnections else {
            refused(host, "too_many_connections")
            // In clear this can be said; over TLS only after a handshake, which would be another connection to keep.
            guard tls == nil else { return channel.close(promise: nil) }
            channel.eventLoop.assumeIsolated().execute { Self.turnAway(channel) }
            return
        }
        if let tls { try operations.addHandler(NIOSSLServerHandler(context: tls.context)) }
        let first = FirstBytes()
        let connection = HTTPConnection(door: self, peer: peer, peerAddress: host, first: first)
        first.connection = connection
        try operations.addHandler(first)
        var heads = NIOHTTPDecoderLimitConfiguration()
        heads.maxHeaderFieldSize = limits.maxHeaderBytes
        heads.maxHeaderListSize = limits.maxHeaderBytes
        heads.maxHeaderFieldCount = 100
        try operations.configureHTTPServerPipeline(
            withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: heads)
        try operations.addHandler(connection)
    }

    /// Says why and closes, without reading anything.
    private static func turnAway(_ channel: any Channel) {
        let body = HTTPResponse.error(
            .unavailable, code: -32603, "too many connections (proxy.http.max_connections)"
        ).body
        var bytes = ByteBuffer()
        bytes.writeString("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n")
        bytes.writeString("Content-Length: \(body.readableBytes)\r\nConnection: close\r\nRetry-After: 5\r\n\r\n")
        bytes.writeImmutableBuffer(body)
        channel.writeAndFlush(bytes).whenComplete { _ in channel.close(promise: nil) }
    }

    /// Called every second.
    func tick() {
        seconds += 1
        adopt()
        for record in guardian.due(now: gateway.clock.now().monotonic) {
            gateway.refusedHTTP(record.block, peer: record.peer)
        }
        for connection in Array(connections.values) { connection.tick() }
        stopIfDone()
    }

    /// Takes the present caps.
    private func adopt() {
        limits.maxBodyBytes = gateway.snapshot.settings.limits.maxMessageBytes
    }

    private func stopIfDone() {
        guard isDraining, listener == nil, connections.isEmpty, sessions.isEmpty else { return }
        ticks?.cancel()
        ticks = nil
    }
}
