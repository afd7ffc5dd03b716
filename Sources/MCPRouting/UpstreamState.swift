internal import DequeModule
internal import EraTranslation
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

/// What routing knows of one upstream, through its restarts. Held by the router alone.
final class UpstreamState {
    /// Where its process is.
    enum Phase: Equatable {
        /// No process, or one that has not shaken hands: requests wait.
        case absent
        /// Our first message is with it.
        case handshaking
        /// Requests are forwarded.
        case ready
        /// It could not be kept alive: requests fail at once, until it is started again.
        case failed(String)
    }

    /// What a process is told first.
    enum Opening: Equatable {
        /// `server/discover`, and `initialize` to another process when that shows no modern server.
        case probe
        /// `server/discover`: it is known to be modern.
        case discover
        /// `initialize`: it is known to be legacy, or it is asked whether it is.
        case initialize
    }

    /// A message that waits for the upstream, in the order in which it came.
    struct Waiting {
        enum Content {
            case request(PendingID, Message)
            case notification(Message)
            case initialize(PendingID)
            case discover(PendingID)

            /// The request that waits; nil for a notification.
            var request: PendingID? {
                switch self {
                case .request(let id, _), .initialize(let id), .discover(let id): id
                case .notification: nil
                }
            }
        }

        var content: Content
        var session: SessionID
        /// When it began to wait, in monotonic nanoseconds.
        var since: UInt64
        var byteCount: Int
    }

    var role: UpstreamRole
    var phase: Phase = .absent
    /// What its next process is told first.
    var opening: Opening
    /// The id that the last first message had: a second answer to it is told apart.
    var openedWith: PendingID?
    /// Its refusal of `initialize`, while nothing is known of its command's eras.
    var refusal: Message?
    /// When the silence after its first message means something, in monotonic nanoseconds.
    var silenceDue: UInt64?
    /// When a probe that is still silent gets a rival, in monotonic nanoseconds.
    var rivalDue: UInt64?
    /// The other process of a probe, of which the first to answer stays.
    var rival: UpstreamID?
    /// What it answered to its opening, and the revision in it.
    var handshake: Handshake? {
        didSet { era = handshake?.version.era }
    }
    /// The era that it speaks; nil until it has said so.
    private(set) var era: Era?
    /// For a session's own process: the client's `initialize` params, as sent, to be replayed after a restart.
    var initializeParams: ByteBuffer?
    var waiting = Deque<Waiting>()
    var waitingBytes = 0
    /// Requests in the table that are its, answered or not.
    var inFlight = 0
    /// Those among them that are subscriptions, which stay open until somebody ends them.
    var listens = 0
    /// Requests of clients that asked for log messages with them: in the modern era nobody else gets any.
    var loggers: Set<PendingID> = []
    /// The gateway's own subscription at a modern one.
    var ownListen: PendingID?
    /// Requests of ended sessions that it may still work on: what it logs meanwhile could be theirs.
    var ghosts = 0
    /// The session count, and the sum of the places, of those that it works for: with a count of one, the sum is the
    /// place of the only one.
    var busyCount = 0
    var busySum = 0
    /// The most verbose level that any session asked for, as last sent.
    var level: MCPLogLevel?
    var subscribers: [ExactName: Set<SessionID>] = [:]
    var catalog = ToolCatalog()
    /// It takes the place of another one, whose lists its sessions have read: they are told when it has shaken hands.
    var isSuccessor = false
    /// How often a process ended before it answered its first message.
    var openingExits = 0
    /// Requests of its own that clients have not answered; deadlines rest meanwhile.
    var openServerRequests = 0
    /// A session's own process that runs under a launch plan of the past: it is replaced when it has nothing to do.
    var isOutdated = false
    /// It was replaced, or its session ended: it ends when nothing is in flight there, or at this moment.
    var drainsUntil: UInt64?
    /// When a next shared upstream that has not shaken hands is given up.
    var handshakeDeadline: UInt64?

    init(role: UpstreamRole, opening: Opening) {
        self.role = role
        self.opening = opening
    }

    /// What its last opening came to, where that was no handshake.
    var lastRefusal: String?

    /// As `status` shows it.
    func view(as id: UpstreamID) -> Router.SharedUpstream {
        var failure: String?
        if case .failed(let detail) = phase { failure = detail }
        return Router.SharedUpstream(
            id: id, isReady: phase == .ready, failure: failure, lastRefusal: lastRefusal,
            revision: handshake?.version.text)
    }

    /// Whether nothing is lost when its process is replaced now. What waits for one that is absent has not reached it.
    var isIdle: Bool { phase == .absent || inFlight == listens && openServerRequests == 0 }
}

/// The names of an upstream's tools, with a hash of each entry: enough to know when what a client sees has changed.
/// No results are cached.
struct ToolCatalog {
    /// nil until the first reading is complete.
    var tools: [(name: String, hash: Int)]?
    /// The reading in progress.
    var reading: [(name: String, hash: Int)]?
    /// The tools whose calls over HTTP repeat arguments in headers, with those.
    var headers: [String: ParameterHeaders] = [:]
    /// The same of the reading in progress.
    var headersRead: [String: ParameterHeaders] = [:]
    /// The list changed while it was being read.
    var isStale = false
    /// What is known was read of a process that has ended.
    var isFormer = false

    /// Servers that page for ever are cut off here.
    static let maxPages = 1000
    static let maxTools = 100_000

    /// The hash of what `policies` let a client see; nil while nothing was read.
    func visibleHash(under policies: PolicyChain) -> Int? {
        guard let tools else { return nil }
        var hasher = Hasher()
        for tool in tools where policies.permits(tool: tool.name) {
            hasher.combine(tool.hash)
        }
        return hasher.finalize()
    }
}
