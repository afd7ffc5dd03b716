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
