public import AuditTrail
public import MCPRouting
internal import Upstream

/// How the shared upstream stands.
public struct UpstreamStatus: Hashable, Sendable {
    /// Where its process is.
    public enum State: String, Hashable, Sendable {
        /// No process runs, or it has not shaken hands.
        case starting
        case ready
        /// It could not be kept alive; calls fail at once.
        case failed
    }

    /// Where its process is.
    public var state: State
    /// Why it failed, or what its last opening came to while it starts; our own text.
    public var reason: String?
    /// The process that runs.
    public var pid: Int32?
    /// How many processes there were before.
    public var restarts: Int
    /// The protocol revision that it speaks, when it has shaken hands.
    public var revision: String?
    /// The era of that revision.
    public var era: Era? { revision.map(Era.init(revision:)) }

    /// Joins what is known of it.
    public init(
        state: State, reason: String? = nil, pid: Int32? = nil, restarts: Int = 0, revision: String? = nil
    ) {
        self.state = state
        self.reason = reason
        self.pid = pid
        self.restarts = restarts
        self.revision = revision
    }
}

/// What `status` and the systemd status line are made of. On the loop.
extension Gateway {
    /// What is going on in routing.
    public var counts: Router.Counts { router.counts }

    /// How each audit sink stands.
    public var sinks: [SinkStatus] { trail.status() }

    /// How the shared upstream stands.
    public var upstreamStatus: UpstreamStatus {
        status(of: router.sharedUpstream)
    }

    /// The process of the other era; nil while no session needs it.
    public var secondUpstreamStatus: UpstreamStatus? {
        router.secondUpstream.map(status(of:))
    }

    private func status(of view: Router.SharedUpstream) -> UpstreamStatus {
        let link = upstreams[view.id]
        return UpstreamStatus(
            state: view.isReady ? .ready : view.failure == nil ? .starting : .failed,
            reason: view.failure ?? (view.isReady ? nil : view.lastRefusal), pid: link?.pid,
            restarts: link?.restarts ?? 0, revision: view.revision)
    }

    /// The processes of sessions that have one of their own, in ascending order.
    public var ownProcessIDs: [Int32] {
        upstreams.values.filter { $0.role != .shared }.compactMap(\.pid).sorted()
    }

    /// Whether the gateway has begun to end.
    public var isEnding: Bool { shutdown != nil }
}
