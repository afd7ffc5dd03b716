public import GatewayEvents
internal import Glibc
public import Logging
public import NIOCore
internal import NIOPosix

/// The control channel's server end: a Unix socket, 0600, on which root or the daemon's user asks for the status and
/// hears of reloads, one JSON object a line.
///
/// Confinement: the event loop that it was opened on.
public final class ControlServer {
    /// What one server bears. Others only in tests.
    struct Limits: Sendable {
        /// Connections at a time; the next one is told so and closed.
        var connections = 16
        /// Bytes of a request line.
        var line = 4096
        /// How long a connection may have nothing to ask, unless it has subscribed.
        var idle = TimeAmount.seconds(10)
        /// Bytes that may wait for a peer that does not read; one more line and it is dropped.
        var unread = 64 * 1024
    }

    let limits: Limits
    private let status: () -> StatusReport
    private let logger: Logger
    private let file: ControlSocketFile
    private var listener: (any Channel)?
    private(set) var connections: [ObjectIdentifier: ControlConnection] = [:]

    private init(
        _ file: ControlSocketFile, _ limits: Limits, _ status: @escaping () -> StatusReport, _ logger: Logger
    ) {
        self.file = file
        self.limits = limits
        self.status = status
        self.logger = logger
    }

    /// Binds and listens. Call on `eventLoop`, with the PID file beside `path` claimed and SIGHUP armed; fails with a
    /// ``ControlError`` that names the path.
    /// - Parameters:
    ///   - path: ``InstanceClaim/controlSocket``; one of more than 107 bytes is bound through its directory.
    ///   - status: called on `eventLoop` for every request; must be quick.
    public static func open(
        path: String, eventLoop: any EventLoop, status: @escaping () -> StatusReport, logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<ControlServer>> {
        open(path: path, eventLoop: eventLoop, limits: Limits(), status: status, logger: logger)
    }

    static func open(
        path: String, eventLoop: any EventLoop, limits: Limits, status: @escaping () -> StatusReport, logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<ControlServer>> {
        let file: ControlSocketFile
        do {
            file = try ControlSocketFile(path)
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
        let server = NIOLoopBound(ControlServer(file, limits, status, logger), eventLoop: eventLoop)
        return ServerBootstrap(group: eventLoop)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: limits.unread / 2, high: limits.unread)
            )
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            .childChannelInitializer { channel in
                ControlPeer.of(channel).flatMapThrowing { try server.value.welcome(channel, $0) }
            }
            .withBoundSocket(file.descriptor)
            .map { listener in
                server.value.listener = listener
                return server
            }
            .flatMapErrorThrowing { error in
                file.remove()
                throw error
            }
    }

    /// Tells every subscriber. One that has left too much unread is dropped.
    public func publish(_ outcome: ReloadOutcome) {
        let reply = ControlReply(reload: ReloadReport(outcome))
        for connection in connections.values where connection.isSubscribed { connection.send(reply) }
    }

    /// Stops listening, removes the socket and ends every connection.
    public func close() {
        file.remove()
        listener?.close(promise: nil)
        listener = nil
        for connection in connections.values { connection.end() }
    }

    private func welcome(_ channel: any Channel, _ peer: ControlPeer) throws {
        let connection = ControlConnection(server: self, channel: channel, refusal: refusal(peer))
        if connection.refusal == nil { connections[ObjectIdentifier(connection)] = connection }
        try channel.pipeline.syncOperations.addHandler(connection)
    }

    private func refusal(_ peer: ControlPeer) -> String? {
        guard peer.isPermitted(owner: geteuid()) else {
            logger.warning("refused uid \(peer.uid) (pid \(peer.pid)) on \(file.path)")
            return "uid \(peer.uid) may not control this gateway: only root and uid \(geteuid()) may"
        }
        let isFull = connections.count >= limits.connections
        return isFull ? "too many connections: at most \(limits.connections) at a time" : nil
    }

    func ended(_ connection: ControlConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }

    func report() -> StatusReport {
        status()
    }
}
