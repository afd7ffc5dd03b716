internal import DequeModule
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

/// What routing knows of one upstream, through its restarts. Held by the router alone.
final class UpstreamState {
    /// Where its process is.
    enum Phase: Equatable {
        /// No process, or one that has not shaken hands: requests wait.
        case absent
        /// Our `initialize` is with it.
        case handshaking
        /// Requests are forwarded.
        case ready
        /// It could not be kept alive: requests fail at once, until it is started again.
        case failed(String)
    }

    /// A message that waits for the upstream, in the order in which it came.
    struct Waiting {
        enum Content {
            case request(PendingID, SplicedMessage)
            case notification(SplicedMessage)
            case initialize(PendingID)
        }

        var content: Content
        /// When it began to wait, in monotonic nanoseconds.
        var since: UInt64
        var byteCount: Int
    }

    var role: UpstreamRole
    var phase: Phase = .absent
    /// What it answered to `initialize`, and the revision in it.
    var handshake: Handshake?
    /// For a session's own process: the client's `initialize` params, as sent, to be replayed after a restart.
    var initializeParams: ByteBuffer?
    var waiting = Deque<Waiting>()
    var waitingBytes = 0
    /// Requests in the table that are its, answered or not.
    var inFlight = 0
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
    /// Requests of its own that clients have not answered; deadlines rest meanwhile.
    var openServerRequests = 0
    /// A session's own process that runs under a launch plan of the past: it is replaced when it has nothing to do.
    var isOutdated = false
    /// It was replaced, or its session ended: it ends when nothing is in flight there, or at this moment.
    var drainsUntil: UInt64?
    /// When a next shared upstream that has not shaken hands is given up.
    var handshakeDeadline: UInt64?

    init(role: UpstreamRole) {
        self.role = role
    }

    /// Whether nothing is lost when its process is replaced now. What waits for one that is absent has not reached it.
    var isIdle: Bool { phase == .absent || inFlight == 0 && openServerRequests == 0 }
}

/// An upstream's answer to `initialize`.
struct Handshake {
    /// The `result` object, with `tools.listChanged` set to true where there are tools.
    let result: ByteBuffer
    /// Where the revision's text stands in ``result``, with its quotes.
    let versionRange: ByteRange
    let version: ProtocolVersion
    let hasTools: Bool
    let hasLogging: Bool
    let hasSubscriptions: Bool
    let hasPrompts: Bool
    let hasResources: Bool

    /// Reads a `result`; nil when it holds no revision or no capabilities.
    init?(of message: Message) {
        guard let result = message.slice(.result),
            let version = JSONText.string(message.scan[.resultProtocolVersion], in: message.bytes),
            message.scan[.resultCapabilities].isPresent,
            JSONText.kind(of: message.scan[.resultCapabilities], in: message.bytes) == .object
        else { return nil }
        let whole = ByteRange(0, result.readableBytes)
        let capabilities = JSONText.member("capabilities", of: whole, in: result)
        func capability(_ name: String) -> ByteRange {
            let range = JSONText.member(name, of: capabilities, in: result)
            return range.isPresent && JSONText.kind(of: range, in: result) == .object ? range : .absent
        }
        let tools = capability("tools")
        let resources = capability("resources")
        self.version = ProtocolVersion(text: version)
        hasTools = tools.isPresent
        hasLogging = capability("logging").isPresent
        hasPrompts = capability("prompts").isPresent
        hasResources = resources.isPresent
        let subscribe =
            resources.isPresent ? JSONText.member("subscribe", of: resources, in: result) : .absent
        hasSubscriptions = subscribe.isPresent && JSONText.bool(subscribe, in: result) == true
        self.result = tools.isPresent ? Self.announcingChanges(of: tools, in: result) : result
        versionRange = JSONText.member("protocolVersion", of: ByteRange(0, self.result.readableBytes), in: self.result)
    }

    /// Reloads change what a client sees, so every client is told that the list may change.
    private static func announcingChanges(of tools: ByteRange, in result: ByteBuffer) -> ByteBuffer {
        var edited = SplicedMessage(result)
        let listChanged = JSONText.member("listChanged", of: tools, in: result)
        if listChanged.isPresent {
            edited.replace(listChanged, withBytes: ByteBuffer(string: "true"))
        } else {
            var isEmpty = true
            JSONText.forEachMember(of: tools, in: result) { _, _ in isEmpty = false }
            let brace = ByteRange(Int(tools.lower), Int(tools.lower) + 1)
            edited.replace(
                brace, withBytes: ByteBuffer(string: isEmpty ? #"{"listChanged":true"# : #"{"listChanged":true,"#))
        }
        return edited.rendered()
    }

    /// The response to a client's `initialize`.
    func reply(to id: Lexeme, telling version: ProtocolVersion) -> SplicedMessage {
        var told = SplicedMessage(result)
        told.replace(versionRange, withBytes: ByteBuffer(string: "\"\(version.text)\""))
        return Reply.result(id: id, told.rendered())
    }
}

/// The names of an upstream's tools, with a hash of each entry: enough to know when what a client sees has changed.
/// No results are cached.
struct ToolCatalog {
    /// nil until the first reading is complete.
    var tools: [(name: String, hash: Int)]?
    /// The reading in progress.
    var reading: [(name: String, hash: Int)]?
    /// The list changed while it was being read.
    var isStale = false

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
