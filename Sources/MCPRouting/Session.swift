internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

/// One client's conversation. All of a session's messages go to one upstream, in the order in which they came.
///
/// A class, like every entry of the router's tables, so that looking at one member does not copy the others. Nobody but
/// the router holds it.
final class Session {
    /// How far the conversation has got. An era adapter for sessions without a handshake adds its phase here.
    enum Phase: Equatable {
        /// Connected; only `initialize` and `ping` are answered.
        case fresh
        /// `initialize` was admitted and waits for the upstream.
        case initializing
        /// It was told this revision.
        case ready(ProtocolVersion)
    }

    /// A request of the upstream that waits for this client's answer.
    struct ServerRequest {
        var upstream: UpstreamID
        /// The upstream's id as sent.
        var id: Lexeme
        var key: RequestID
        var call: AuditEvent.Call
        var snapshot: Snapshot
        var asked: UInt64
    }

    var identity: SessionIdentity
    var phase: Phase = .fresh
    /// Set by `initialize`.
    var upstream: UpstreamID?
    /// Requests without a RESPONSE, by the client's own id.
    var inFlight: [RequestID: PendingID] = [:]
    /// Requests that the upstream works on for it, including cancelled ones: its share of the upstream's attention.
    var working = 0
    /// By the id that the client was given.
    var serverRequests: [Int64: ServerRequest] = [:]
    var nextServerRequest: Int64 = 1
    /// What `logging/setLevel` asked for.
    var level: MCPLogLevel?
    var subscriptions: Set<ExactName> = []
    /// The hash of the tools that it was last told it has; nil until that is known.
    var toolsHash: Int?
    /// Whether SESSION_START was recorded: it waits for the first message, since `initialize` says who this is.
    var isRecorded = false
    /// No more input will come; the session ends when its last request has been answered.
    var inputEnded = false

    init(identity: SessionIdentity) {
        self.identity = identity
    }

    var version: ProtocolVersion? {
        if case .ready(let version) = phase { version } else { nil }
    }
}
