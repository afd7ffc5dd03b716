public import Gateway
public import GatewayConfiguration
internal import GatewayEvents
public import Logging
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
    var admission: any HTTPAdmission
    var limits: HTTPDoorLimits
    /// By `Mcp-Session-Id`.
    var sessions: [String: HTTPSession] = [:]
    var connections: [ObjectIdentifier: HTTPConnection] = [:]
    /// Of all bodies that are on their way.
    var bodyBytes = 0
    /// Whole seconds since it opened.
    private(set) var seconds = 0
    private(set) var isDraining = false
    private var isSecure = false
    private var listener: (any Channel)?
    private var ticks: RepeatedTask?

    private init(
        _ settings: HTTPDoorSettings, _ admission: any HTTPAdmission, _ gateway: Gateway, _ logger: Logger
    ) {
        self.settings = settings
        self.admission = admission
        self.gateway = gateway
        self.logger = logger
        let limits = gateway.snapshot.settings.limits
        self.limits = HTTPDoorLimits(
            maxBodyBytes: limits.maxMessageBytes, maxConnections: 2 * limits.maxSessions + 64)
        isReady = { gateway.isServing }
    }

    /// Binds and listens. Call on the gateway loop; fails with a message that names the address.
    public static func open(
        _ settings: HTTPDoorSettings, _ gateway: Gateway, _ logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<HTTPDoor>> {
        open(settings, LoopbackAdmission(), tls: nil, gateway, logger)
    }

    /// The same with another admission, and with TLS where a context is given.
    static func open(
        _ settings: HTTPDoorSettings, _ admission: any HTTPAdmission, tls: NIOSSLContext?, _ gateway: Gateway,
        _ logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<HTTPDoor>> {
        let loop = gateway.eventLoop
        let door = NIOLoopBound(HTTPDoor(settings, admission, gateway, logger), eventLoop: loop)
        return ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 512 * 1024, high: 1024 * 1024))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try door.value.welcome(channel, tls) }
            }
            .bind(host: settings.host, port: settings.port)
            .map { listener in
                door.value.isSecure = tls != nil
                door.value.begin(listener)
                return door
            }
            .flatMapErrorThrowing { error in
                throw HTTPDoorError(
                    description: "proxy.http: cannot listen on \(settings.host):\(settings.port): \(error)")
            }
    }

    /// Where it listens; nil once closed.
    public var address: SocketAddress? { listener?.localAddress }

    /// What clients are given.
    public var url: String {
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        return "\(isSecure ? "https" : "http")://\(host):\(settings.port)\(settings.path)"
    }

    /// How many connections are open.
    public var connectionCount: Int { connections.count }

    /// Takes what a reload changed without another address.
    public func change(to next: HTTPDoorSettings) {
        settings = next
        adopt()
    }

    /// Stops accepting. Open exchanges finish; then their sessions and connections end. On the loop.
    public func close() {
        guard !isDraining else { return }
        isDraining = true
        listener?.close(promise: nil)
        listener = nil
        for connection in connections.values { connection.dropIfIdle() }
        for session in Array(sessions.values) { endIfDone(session) }
        stopIfDone()
    }

    // MARK: - For connections and sessions

    func refused(_ connection: HTTPConnection, _ reason: String) {
        gateway.refusedHTTP(connection.peerAddress, reason)
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

    // MARK: - Its own

    private func begin(_ listener: any Channel) {
        self.listener = listener
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        ticks = gateway.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.tick()
        }
    }

    private func welcome(_ channel: any Channel, _ tls: NIOSSLContext?) throws {
        let address = channel.remoteAddress
        let host = address?.ipAddress ?? "unknown"
        let peer = address?.port.map { host.contains(":") ? "[\(host)]:\($0)" : "\(host):\($0)" } ?? host
        let operations = channel.pipeline.syncOperations
        if let tls { try operations.addHandler(NIOSSLServerHandler(context: tls)) }
        guard connections.count < limits.maxConnections else {
            gateway.refusedHTTP(host, "too many connections")
            channel.eventLoop.assumeIsolated().execute { Self.turnAway(channel) }
            return
        }
        let connection = HTTPConnection(door: self, peer: peer, peerAddress: host)
        try operations.addHandler(FirstBytes(connection))
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
        let body = HTTPResponse.error(.unavailable, code: -32603, "too many connections").body
        var bytes = ByteBuffer()
        bytes.writeString("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n")
        bytes.writeString("Content-Length: \(body.readableBytes)\r\nConnection: close\r\nRetry-After: 5\r\n\r\n")
        bytes.writeImmutableBuffer(body)
        channel.writeAndFlush(bytes).whenComplete { _ in channel.close(promise: nil) }
    }

    private func tick() {
        seconds += 1
        adopt()
        for connection in Array(connections.values) { connection.tick() }
        stopIfDone()
    }

    /// Takes the present caps.
    private func adopt() {
        let limits = gateway.snapshot.settings.limits
        self.limits.maxBodyBytes = limits.maxMessageBytes
        self.limits.maxConnections = 2 * limits.maxSessions + 64
    }

    private func stopIfDone() {
        guard isDraining, connections.isEmpty, sessions.isEmpty else { return }
        ticks?.cancel()
        ticks = nil
    }
}

/// Tells a connection of bytes that the decoder may keep, so that a head that trickles in has a time-out.
private final class FirstBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: HTTPConnection

    init(_ connection: HTTPConnection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.bytesCame()
        context.fireChannelRead(data)
    }
}
