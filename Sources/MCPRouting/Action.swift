public import GatewayEvents
public import JSONRPCWire

/// What the gateway has to do after an event, in this order. Routing decides, the gateway performs.
public enum Action: Sendable {
    /// Write one message to a client. Answers, errors and the progress of a call belong to the exchange that their
    /// request came in; everything else to ``Exchange/session``.
    case send(SessionID, SplicedMessage, Exchange)
    /// Nothing more will be sent that belongs to this exchange: its requests were answered, or cancelled by the client.
    /// Never for ``Exchange/session``.
    case exchangeEnded(SessionID, Exchange)
    /// Write one message to an upstream that is started.
    case forward(UpstreamID, SplicedMessage)
    /// Hand an event to the audit.
    case record(AuditEvent)
    /// End a session's channel after what was sent to it has gone out.
    case close(SessionID, CloseReason)
    /// Start a process of its own for a session, or the next shared one.
    case start(UpstreamID, UpstreamRole)
    /// End an upstream's process and let its supervisor start the next one: it does not speak the protocol.
    case recycle(UpstreamID)
    /// End an upstream: nothing of it is wanted any more.
    case stop(UpstreamID)
    /// Let the policies look at a large result on a worker, then call ``Router/reviewed(_:_:at:)``.
    case review(PendingID, Message, Snapshot, method: String)
    /// A shared upstream has shaken hands: sessions can be served.
    case upstreamReady(UpstreamID)
    /// The next shared upstream has shaken hands: ``Router/completeSwap(at:)`` lets it take over, now or never.
    case swapReady(UpstreamID)
    /// The next shared upstream cannot take over; it is gone.
    case swapFailed(SwapFailure)
    /// Start an upstream's process anew with the current launch plan; what comes for it meanwhile waits.
    case relaunch(UpstreamID)
    /// The last call of a snapshot that is not current any more has ended.
    case generationEnded(Int)
    /// Something that the operator's log should hold; our own text.
    case log(LogNote)
}

/// What a process is for.
public enum UpstreamRole: Hashable, Sendable {
    /// All sessions that declared no capabilities of their own.
    case shared
    /// The one session that did.
    case own(SessionID)
}

/// Why the next shared upstream did not take over; our own text.
public struct SwapFailure: Error, Hashable, Sendable {
    /// The reason.
    public var reason: String
}

/// A line for the daemon's log.
public struct LogNote: Hashable, Sendable {
    /// Whether it is worth a warning.
    public var isWarning: Bool
    /// Our own text; holds no foreign bytes.
    public var text: String

    static func warning(_ text: String) -> LogNote { LogNote(isWarning: true, text: text) }
    static func info(_ text: String) -> LogNote { LogNote(isWarning: false, text: text) }
}

/// Why a session ends; its raw value is the `reason` of SESSION_END.
public enum CloseReason: String, Sendable {
    case endOfInput = "end_of_input"
    case connectionLost = "connection_lost"
    case slowReader = "slow_reader"
    case idle = "idle_timeout"
    /// Its client seemed gone, and another one needed its place among `max_dedicated`.
    case displaced = "displaced"
    case shutdown = "shutting_down"
    case upstreamFailed = "upstream_failed"
}
