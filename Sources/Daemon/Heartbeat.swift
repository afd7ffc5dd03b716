internal import NIOCore
internal import NIOPosix
internal import Systemd

/// The signs of life that systemd's watchdog wants: sent from the gateway loop, and only when the worker has answered
/// since the last one, so that neither can hang unnoticed. Confined to the loop.
final class Heartbeat {
    private let notifier: ServiceNotifier
    private let workers: NIOThreadPool
    private let eventLoop: any EventLoop
    private var task: RepeatedTask?
    private var hasAnswered = true

    private init(_ eventLoop: any EventLoop, _ workers: NIOThreadPool, _ notifier: ServiceNotifier) {
        self.eventLoop = eventLoop
        self.workers = workers
        self.notifier = notifier
    }

    /// Begins, if the manager watches; nil otherwise.
    static func begin(
        on eventLoop: any EventLoop, workers: NIOThreadPool, _ notifier: ServiceNotifier
    ) -> Heartbeat? {
        guard let interval = Watchdog.interval else { return nil }
        let heartbeat = Heartbeat(eventLoop, workers, notifier)
        let bound = NIOLoopBound(heartbeat, eventLoop: eventLoop)
        heartbeat.task = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: TimeAmount(interval)) { _ in
            bound.value.beat()
        }
        return heartbeat
    }

    private func beat() {
        guard hasAnswered else { return }
        notifier.watchdog()
        hasAnswered = false
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        workers.runIfActive(eventLoop: eventLoop) {}.whenSuccess { bound.value.hasAnswered = true }
    }

    /// The manager expects no more of them once it was told that the service stops.
    func end() {
        task?.cancel()
    }
}
