import NIOCore

/// The time that restarts go by. Used on the upstream's event loop only.
protocol SupervisionClock: AnyObject {
    /// Seconds, monotonic, from any origin.
    var now: Double { get }
    /// Runs `body` once on the loop, not before `seconds` have passed, unless it is cancelled first.
    func schedule(after seconds: Double, _ body: @escaping () -> Void) -> any SupervisionTimer
}

/// Something that will happen, and may be called off.
protocol SupervisionTimer: AnyObject {
    /// Harmless once it has happened.
    func cancel()
}

/// The event loop's own time.
final class EventLoopClock: SupervisionClock {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    var now: Double { Double(eventLoop.now.uptimeNanoseconds) / 1e9 }

    func schedule(after seconds: Double, _ body: @escaping () -> Void) -> any SupervisionTimer {
        EventLoopTimer(eventLoop.assumeIsolated().scheduleTask(in: .seconds(fraction: seconds)) { body() })
    }
}

private final class EventLoopTimer: SupervisionTimer {
    private let task: Scheduled<Void>

    init(_ task: Scheduled<Void>) { self.task = task }

    func cancel() { task.cancel() }
}

extension TimeAmount {
    /// From seconds as the configuration has them; negative ones count as none.
    static func seconds(fraction seconds: Double) -> TimeAmount {
        .nanoseconds(Int64(max(0, min(seconds, 1e9)) * 1e9))
    }
}
