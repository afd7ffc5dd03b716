internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Finds the daemon: tries the places in order, and after the first success only that one, since another place would
/// be another daemon.
///
/// Confinement: the runner's loop.
final class SocketConnector {
    private let loop: any EventLoop
    private let places: SocketPlaces
    private var chosen: String?

    init(loop: any EventLoop, places: SocketPlaces) {
        self.loop = loop
        self.places = places
    }

    /// Succeeds after the runner was told of its connection; fails with a ``NoDaemon``.
    func connect(_ runner: BridgeRunner) -> EventLoopFuture<Void> {
        attempt(chosen.map { [$0] } ?? places.paths, 0, [], runner)
    }

    private func attempt(
        _ paths: [String], _ index: Int, _ misses: [SocketMiss], _ runner: BridgeRunner
    ) -> EventLoopFuture<Void> {
        guard index < paths.count else {
            return loop.makeFailedFuture(NoDaemon(misses: misses, isNamed: places.isNamed))
        }
        let path = paths[index]
        let bound = NIOLoopBound((self, runner), eventLoop: loop)
        return ClientBootstrap(group: loop)
            .channelOption(.writeBufferWaterMark, value: BridgeRunner.ChannelTuning.waterMark)
            .channelOption(.recvAllocator, value: BridgeRunner.ChannelTuning.receive)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DaemonHandler(runner: bound.value.1))
                }
            }
            .connect(unixDomainSocketPath: path)
            .map { _ in bound.value.0.chosen = path }
            .flatMapError { error in
                let (connector, runner) = bound.value
                return connector.attempt(paths, index + 1, misses + [SocketMiss(path: path, error: error)], runner)
            }
    }
}

/// Why one place has no daemon.
struct SocketMiss {
    let path: String
    /// 0 when it was no system call that failed.
    let number: Int32
    let reason: String

    init(path: String, number: Int32, reason: String) {
        self.path = path
        self.number = number
        self.reason = reason
    }

    init(path: String, error: any Error) {
        self.path = path
        number = (error as? IOError)?.errnoCode ?? 0
        switch number {
        case ENOENT: reason = "no such file"
        case ECONNREFUSED: reason = "nobody listens"
        case EACCES, EPERM: reason = "permission denied"
        case ENOTSOCK: reason = "no socket"
        case 0: reason = "\(error)"
        default: reason = String(cString: strerror(number))
        }
    }
}

/// No place has a daemon.
struct NoDaemon: Error, CustomStringConvertible {
    let misses: [SocketMiss]
    /// Whether the place was named rather than one of the usual ones.
    let isNamed: Bool

    /// Every place with its reason, and the remedy.
    var description: String {
        let places = misses.map { "\($0.path): \($0.reason)" }.joined(separator: "; ")
        if misses.contains(where: { $0.number == EACCES || $0.number == EPERM }) {
            return "no daemon may be reached at \(places); join the socket's group, "
                + "usually 'adduser $USER gatekit', and log in again"
        }
        let other = isNamed ? "name another socket" : "name its socket"
        return "no daemon at \(places); start one ('systemctl start gatekit', or 'gatekit --config F' with "
            + "'transport: unix'), or \(other) with --socket or GATEKIT_SOCKET"
    }
}
