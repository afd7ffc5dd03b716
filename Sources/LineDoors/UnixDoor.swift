public import Gateway
public import GatewayConfiguration
internal import GatewayEvents
internal import Glibc
public import Logging
public import NIOCore
internal import NIOPosix

/// The Unix socket that clients connect to: one session per connection, framed as stdio.
///
/// Confinement: the gateway loop, which accepts as well as serves.
public final class UnixDoor {
    /// What it was opened with, or changed to.
    public private(set) var settings: UnixDoorSettings
    /// nil for a socket that whoever started us has bound and will keep.
    private let file: UnixSocketFile?
    private let listener: any Channel

    private init(settings: UnixDoorSettings, file: UnixSocketFile?, listener: any Channel) {
        self.settings = settings
        self.file = file
        self.listener = listener
    }

    /// Connections that may wait to be accepted.
    private static let backlog: Int32 = 1024

    /// Binds and listens. Call on the gateway loop; fails with a ``DoorError`` that names the path.
    public static func open(
        _ settings: UnixDoorSettings, _ gateway: Gateway, _ logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<UnixDoor>> {
        do {
            return open(try Place(settings), gateway, logger)
        } catch {
            return gateway.eventLoop.makeFailedFuture(error)
        }
    }

    /// A path that has been taken and on which nobody can connect yet: what a reload has in hand before its swap.
    public struct Place {
        let settings: UnixDoorSettings
        let file: UnixSocketFile

        /// Binds, with mode and group. Fails with a ``DoorError`` that names the path.
        public init(_ settings: UnixDoorSettings) throws(DoorError) {
            self.settings = settings
            file = try UnixSocketFile(settings)
        }

        /// Lets clients connect; they wait until the door is opened. Once.
        public func listen() throws(DoorError) {
            guard Glibc.listen(file.descriptor, UnixDoor.backlog) == 0 else {
                throw .system("listen", settings.path, errno)
            }
        }

        /// Gives the path back. Not after it was opened.
        public func release() {
            file.remove()
            Glibc.close(file.descriptor)
        }
    }

    /// Serves those who connect to a place. Takes it over. Call on the gateway loop.
    public static func open(
        _ place: Place, _ gateway: Gateway, _ logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<UnixDoor>> {
        open(place.settings, place.file, place.file.descriptor, gateway, logger)
    }

    /// Serves a socket that is listening already, as systemd passes it: its file stays when the door closes. Takes the
    /// descriptor over. systemd.socket(5).
    public static func open(
        listening descriptor: Int32, _ settings: UnixDoorSettings, _ gateway: Gateway, _ logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<UnixDoor>> {
        open(settings, nil, descriptor, gateway, logger)
    }

    private static func open(
        _ settings: UnixDoorSettings, _ file: UnixSocketFile?, _ descriptor: Int32, _ gateway: Gateway,
        _ logger: Logger
    ) -> EventLoopFuture<NIOLoopBound<UnixDoor>> {
        let loop = gateway.eventLoop
        let bound = NIOLoopBound(gateway, eventLoop: loop)
        let listening = ServerBootstrap(group: loop)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: LineChannelOptions.waterMark)
            .childChannelOption(.recvAllocator, value: LineChannelOptions.receive)
            .childChannelInitializer { channel in
                peer(of: channel).flatMapThrowing { peer in
                    try welcome(channel, peer, bound.value, logger)
                }
            }
            .withBoundSocket(descriptor)
        return listening.map {
            // NIO listens on a socket that it is given with a backlog of 128, whatever the option says. One that was passed
            // keeps what whoever made it chose (systemd.socket(5), Backlog=). It is listening, so this cannot fail.
            if file != nil { Glibc.listen(descriptor, backlog) }
            return NIOLoopBound(UnixDoor(settings: settings, file: file, listener: $0), eventLoop: loop)
        }
        .flatMapErrorThrowing { error in
            file?.remove()
            throw error
        }
    }

    /// Where a passed socket listens; nil for one without a path in the file system. unix(7).
    public static func path(ofListening descriptor: Int32) -> String? {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0, Int(length) > MemoryLayout<sa_family_t>.size else { return nil }
        let path = withUnsafeBytes(of: &address.sun_path) { Array($0.prefix { $0 != 0 }) }
        return path.isEmpty ? nil : String(decoding: path, as: UTF8.self)
    }

    /// Whether the socket is one that whoever started us has bound.
    public var isActivated: Bool { file == nil }

    /// What would keep ``change(to:)`` from working.
    public static func check(_ settings: UnixDoorSettings) throws(DoorError) {
        _ = try UnixSocketFile.group(settings.group)
    }

    /// Gives the socket file, whose path stays, another mode and group. Sessions go on.
    public func change(to next: UnixDoorSettings) throws(DoorError) {
        try file?.change(mode: next.mode, group: next.group)
        settings = next
    }

    /// Stops listening and removes the socket file. Sessions go on.
    public func close() {
        file?.remove()
        listener.close(promise: nil)
    }

    private static func welcome(_ channel: any Channel, _ peer: String, _ gateway: Gateway, _ logger: Logger) throws {
        let identity = SessionIdentity(
            sessionID: SessionNumber.mint(), transport: "unix", peer: peer, clientName: nil, clientVersion: nil)
        let line = LineChannel(channel: channel, isLone: false)
        guard let session = gateway.connect(identity, line) else {
            let reason = gateway.refuseConnection(identity)
            logger.warning("refused a client (\(peer)): \(reason)")
            line.write(gateway.refusal(reason))
            line.flush()
            return line.close(isAbrupt: false) {}
        }
        try channel.pipeline.syncOperations.addHandler(LineHandler(gateway: gateway, session: session))
    }

    /// What the kernel says of the process that connected. unix(7), SO_PEERCRED: struct ucred.
    private static func peer(of channel: any Channel) -> EventLoopFuture<String> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture("unix")
        }
        let credentials: EventLoopFuture<PeerCredentials> = provider.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
        return credentials.map { "uid=\($0.uid) gid=\($0.gid) pid=\($0.pid)" }
    }
}

/// struct ucred, which Glibc's module hides behind _GNU_SOURCE.
private struct PeerCredentials: Sendable {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
}
