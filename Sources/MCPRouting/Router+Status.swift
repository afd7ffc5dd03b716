public import GatewayEvents
public import OutputSanitizer

/// What others ask about the state of routing.
extension Router {
    /// What `status` shows.
    public struct Counts: Hashable, Sendable {
        /// Connected clients.
        public var sessions: Int
        /// Requests of clients that wait for their answers.
        public var calls: Int
        /// All requests in flight: the gateway's own too, and cancelled ones that were not answered yet.
        public var pending: Int
        /// Processes beside the shared one.
        public var ownUpstreams: Int
        /// Notifications of upstreams that nobody got, because they could have been meant for several sessions.
        public var droppedNotifications: Int
        /// Responses that were sanitised.
        public var sanitizedResponses: Int
        /// What was taken out of them, by stage.
        public var sanitized: RemovalCounts
    }

    /// A shared upstream, as `status` shows it.
    public struct SharedUpstream: Hashable, Sendable {
        /// Its id.
        public var id: UpstreamID
        /// Whether requests are forwarded.
        public var isReady: Bool
        /// Why they are failed at once; nil while they are not.
        public var failure: String?
        /// What its last opening came to, where that was no handshake; our own text.
        public var lastRefusal: String?
        /// The protocol revision that it speaks; nil before the first handshake.
        public var revision: String?
    }

    /// The shared upstream. Where sessions are dedicated and none uses it, what its process had proved.
    public var sharedUpstream: SharedUpstream {
        upstreams.read(shared) { $0.view(as: shared) }
            ?? SharedUpstream(
                id: shared, isReady: snapshot.isDedicated,
                revision: verdict.first.flatMap { proven[$0] }?.version.text)
    }

    /// The one of the other era; nil while no session needs it.
    public var secondUpstream: SharedUpstream? {
        second.flatMap { id in upstreams.read(id) { $0.view(as: id) } }
    }

    /// Whether a next shared upstream is on its way.
    public var hasNextShared: Bool { nextShared != nil }

    /// How much is going on.
    public var counts: Counts {
        Counts(
            sessions: sessions.count, calls: generations.reduce(0) { $0 + $1.calls }, pending: pending.count,
            ownUpstreams: ownUpstreams,
            droppedNotifications: droppedNotifications, sanitizedResponses: sanitizedResponses, sanitized: sanitized)
    }

    /// Bytes that wait for an upstream which is not there; part of its backpressure.
    public func waitingBytes(for upstream: UpstreamID) -> Int {
        upstreams.read(upstream) { $0.waitingBytes } ?? 0
    }

    /// The upstream that a session's messages go to, once it has said `initialize`.
    public func upstream(of session: SessionID) -> UpstreamID? {
        sessions.read(session) { $0.upstream } ?? nil
    }

    /// The protocol revision that a session was told; nil until its `initialize` has been answered.
    public func revision(of session: SessionID) -> String? {
        sessions.read(session) { $0.version?.text } ?? nil
    }

    /// Who a session is, as the audit names it; nil when it has ended.
    public func identity(of session: SessionID) -> SessionIdentity? {
        sessions.read(session) { $0.identity }
    }

    /// The upstream that a request was admitted for; nil when it has ended.
    public func upstream(of request: PendingID) -> UpstreamID? {
        pending[request]?.upstream
    }

    /// Whether a client still waits for an answer.
    public var hasOpenCalls: Bool { generations.contains { $0.calls > 0 } }
}
