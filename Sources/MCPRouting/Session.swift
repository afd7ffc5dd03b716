internal import EraTranslation
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

/// One client's conversation. All of a session's messages go to one upstream, in the order in which they came.
///
/// A class, like every entry of the router's tables, so that looking at one member does not copy the others. Nobody but
/// the router holds it.
final class Session {
    /// How far the conversation has got.
    enum Phase: Equatable {
        /// Connected; only `initialize`, `ping` and `server/discover` are answered.
        case fresh
        /// `initialize` was admitted and waits for the upstream.
        case initializing
        /// It was told this revision.
        case ready(ProtocolVersion)
        /// Its first message had the envelope of the modern era, and all others must have it.
        case modern
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
        /// Where its client was asked: on the stream of the call that it is about, or on the session's.
        var exchange = Exchange.session
        /// Where it was embedded in a result of a modern upstream: which one, and at which place.
        var round: InputRound?
        var place = 0
    }

    /// Whether it may get a process for what it declares.
    var mayBeAsked = true
    var identity: SessionIdentity
    /// The `clientInfo` of the last envelope that named the identity.
    var clientInfo: ByteBuffer?
    var phase: Phase = .fresh
    /// Set by `initialize`, or by the first message of the modern era.
    var upstream: UpstreamID?
    /// What its client said of itself in its first message.
    var introduction: Introduction?
    /// What a legacy session's requests carry in front of a modern upstream; made when the first of them does.
    var envelope: OutgoingEnvelope?
    /// Requests without a RESPONSE, by the client's own id.
    var inFlight: [RequestID: PendingID] = [:]
    /// Older requests whose id a newer one in ``inFlight`` has too, oldest first: each in an exchange of its own.
    /// Always empty on a line door.
    var shadowed: [(key: RequestID, id: PendingID)] = []
    /// Requests that the upstream works on for it, including cancelled ones: its share of the upstream's attention.
    var working = 0
    /// By the id that the client was given.
    var serverRequests: [Int64: ServerRequest] = [:]
    var nextServerRequest: Int64 = 1
    /// What `logging/setLevel` asked for.
    var level: MCPLogLevel?
    var subscriptions: Set<ExactName> = []
    /// How many of its bridged `subscriptions/listen` want each resource.
    var listenCounts: [ExactName: Int] = [:]
    /// The hash of the tools that it was last told it has; nil until that is known.
    var toolsHash: Int?
    /// Whether SESSION_START was recorded: it waits for the first message, since `initialize` says who this is.
    var isRecorded = false
    /// The bytes of its requests that are kept while an upstream of the other era may ask something during them.
    var keptBytes = 0
    /// No more input will come; the session ends when its last request has been answered.
    var inputEnded = false

    init(identity: SessionIdentity) {
        self.identity = identity
    }

    /// What its requests carry in front of a modern upstream.
    var stampedEnvelope: OutgoingEnvelope {
        if let envelope { return envelope }
        let made = (introduction ?? Introduction()).envelope(level: level ?? .info)
        envelope = made
        return made
    }

    /// How many requests have no RESPONSE yet.
    var openCount: Int { inFlight.count + shadowed.count }

    /// All of them, in no order.
    var openRequests: [PendingID] { Array(inFlight.values) + shadowed.map(\.id) }

    /// Those with one id.
    func requests(of key: RequestID) -> [PendingID] {
        shadowed.filter { $0.key == key }.map(\.id) + (inFlight[key].map { [$0] } ?? [])
    }

    /// A request begins; the caller has seen that its id is free in its exchange.
    func begin(_ id: PendingID, _ key: RequestID) {
        guard let older = inFlight.updateValue(id, forKey: key) else { return }
        shadowed.append((key, older))
    }

    /// A request ends while some ids are in flight more than once: the newest of the rest is the one that its id means.
    func end(_ id: PendingID, _ key: RequestID) {
        guard inFlight[key] == id else { return shadowed.removeAll { $0.id == id } }
        let next = shadowed.lastIndex { $0.key == key }
        inFlight[key] = next.map { shadowed.remove(at: $0).id }
    }

    /// Which era it has chosen; nil before its first message that does.
    var era: Era? {
        switch phase {
        case .fresh: nil
        case .initializing, .ready: .legacy
        case .modern: .modern
        }
    }

    /// A request goes on under another number.
    func renumber(_ old: PendingID, _ key: RequestID, _ new: PendingID) {
        if inFlight[key] == old { return inFlight[key] = new }
        for index in shadowed.indices where shadowed[index].id == old { shadowed[index].id = new }
    }

    var version: ProtocolVersion? {
        if case .ready(let version) = phase { version } else { nil }
    }
}
