internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Upstream

/// The threads of the process, and the moment at which the main thread may go.
final class Lifetime: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let workers: NIOThreadPool
    private let spawner: SpawnThread
    private let done: EventLoopPromise<@Sendable () -> Void>
    private let code = Atomic<Int32>(0)
    private let restart = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)

    init(group: MultiThreadedEventLoopGroup, workers: NIOThreadPool, spawner: SpawnThread) {
        self.group = group
        self.workers = workers
        self.spawner = spawner
        done = group.next().makePromise()
    }

    /// What the process will return.
    var exitCode: Int32 {
        get { code.load(ordering: .relaxed) }
        set { code.store(newValue, ordering: .relaxed) }
    }

    /// Whether the program is executed anew at the end.
    var restarts: Bool {
        get { restart.load(ordering: .relaxed) }
        set { restart.store(newValue, ordering: .relaxed) }
    }

    /// Everything on the loop has ended; `last` runs on the main thread. Only the first call counts.
    func ended(_ last: @escaping @Sendable () -> Void) {
        let isFirst = hasEnded.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
        if isFirst { done.succeed(last) }
    }

    /// Blocks the main thread until the end, then takes the threads down.
    func waitForEnd() -> Int32 {
        do {
            try done.futureResult.wait()()
        } catch {
            // The promise is never failed: `ended(_:)` is the only one to complete it.
            preconditionFailure("the end of serving failed: \(error)")
        }
        dismantle()
        return exitCode
    }

    /// Ends the threads. What they were doing has ended already.
    func dismantle() {
        // After a start that failed nobody waits; NIO wants every promise kept all the same.
        ended {}
        spawner.shutdown()
        workers.shutdownGracefully { _ in }
        // The process ends right after this: a loop that cannot stop is no reason to hang.
        group.shutdownGracefully { _ in }
    }
}
