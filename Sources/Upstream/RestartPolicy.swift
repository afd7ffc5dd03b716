/// What follows the end of an upstream, or a start that failed.
public enum RestartDecision: Sendable, Hashable {
    /// It is started again in that many seconds, as try number `attempt` since it last ran well, from 1; 0 when somebody
    /// asked for it.
    case restart(after: Double, attempt: Int)
    /// The tries are used up. With `retryAfter`, one more is made every so many seconds, and at
    /// ``SupervisedUpstream/retryNow()``; with nil only then.
    case gaveUp(retryAfter: Double?)
    /// It was meant to end.
    case stopped
}

/// When an upstream is started again. A pure value: told what happened, it says what to do; it holds no clock.
///
/// The pause doubles from 1 s to 60 s; an upstream that ran for 30 s starts over at 1 s.
public struct RestartPolicy: Sendable, Hashable {
    /// How many restarts in a row are tried; nil for no end, 0 for none.
    public let attempts: Int?
    /// Seconds between single tries once ``attempts`` are used up; nil to stay down.
    public let retryAfter: Double?
    /// How many failures in a row there were.
    public private(set) var failures = 0

    /// The shortest pause, in seconds.
    static let firstPause = 1.0
    /// The longest pause, in seconds.
    static let longestPause = 60.0
    /// How many seconds of running make earlier failures history.
    static let goodUptime = 30.0

    /// Joins a policy's parts. `attempts` must not be negative.
    public init(attempts: Int?, retryAfter: Double?) {
        precondition(attempts.map { $0 >= 0 } ?? true, "restart attempts must not be negative")
        self.attempts = attempts
        self.retryAfter = retryAfter
    }

    /// For a lone stdio session: three tries unless set otherwise, then the gateway ends too.
    public static func session(attempts: Int? = nil) -> RestartPolicy {
        RestartPolicy(attempts: attempts ?? 3, retryAfter: nil)
    }

    /// For a daemon with doors: no end unless set otherwise, and a try every 60 s after that end.
    public static func daemon(attempts: Int? = nil) -> RestartPolicy {
        RestartPolicy(attempts: attempts, retryAfter: longestPause)
    }

    /// For `restart_on_failure: false`: never by itself.
    public static let never = RestartPolicy(attempts: 0, retryAfter: nil)

    /// Takes note of an end after `uptime` seconds of running, 0 for a failed start, and decides.
    public mutating func ended(afterUptime uptime: Double) -> RestartDecision {
        if uptime >= Self.goodUptime { failures = 0 }
        failures += 1
        if let attempts, failures > attempts { return .gaveUp(retryAfter: retryAfter) }
        // Beyond six doublings the cap rules; an unbounded exponent would overflow on a daemon's hundredth failure.
        let doublings = min(failures - 1, 6)
        return .restart(after: min(Self.firstPause * Double(1 << doublings), Self.longestPause), attempt: failures)
    }

    /// The rules of `next` with the failures counted so far.
    func succeeded(by next: RestartPolicy) -> RestartPolicy {
        var policy = next
        policy.failures = failures
        return policy
    }

    /// Forgets past failures: somebody has changed something.
    public mutating func reset() { failures = 0 }
}
