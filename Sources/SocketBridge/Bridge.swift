internal import JSONRPCWire
internal import NIOCore

/// What lies between a client on stdin and stdout and a daemon that may go away and come back: event in, actions out.
///
/// Pure: no channel, no clock, no I/O. Whoever owns it reports events in their order, and after each performs what
/// ``takeActions()`` hands out. Lines come without their newline. `now` is in milliseconds on a clock that only runs
/// forward. While connected a line passes as it is; only what a later connection will need is noted.
struct Bridge {
    enum Phase: Equatable {
        /// Not started.
        case idle
        /// An attempt to connect is under way.
        case connecting
        /// Between two attempts.
        case backingOff
        /// Connected, and the daemon has not answered the `initialize` that we repeated.
        case replaying
        /// Messages pass.
        case connected
        /// The connection is of no use, and its end has not been reported.
        case hangingUp
        /// There is no daemon, and the client may still learn that from the answer to its `initialize`.
        case farewell
        case ended
    }

    var phase = Phase.idle
    var memory = SessionMemory()
    var calls = CallsInFlight()
    var serverRequests = ServerRequests()
    var waiting = WaitingLines()
    var ownRequests: [RequestID: OwnRequest] = [:]
    var outage: Outage
    var clientHasEnded = false
    /// Whether there ever was a connection.
    var hasConnected = false
    /// Whether this connection has shown that a daemon is behind it.
    var isProven = false
    var connectedAt = 0
    /// Whether this outage was told of.
    var hasToldOutage = false
    var failure = ""
    let scanner = MessageScanner(maxDepth: BridgeLimits.depth)

    private let tag: String
    private var ownCount: UInt64 = 0
    private var actions: [BridgeAction] = []

    /// - Parameters:
    ///   - patience: how long to look for a daemon, at the start and after each loss, in milliseconds.
    ///   - tag: random digits for ids of our own.
    init(patience: Int, tag: String) {
        outage = Outage(patience: patience)
        self.tag = tag
    }

    /// Begins with the first attempt to connect.
    mutating func start(now: Int) {
        guard phase == .idle else { return }
        outage.start(at: now)
        phase = .connecting
        emit(.connect)
    }

    /// What has to be done since the last call, in order.
    mutating func takeActions() -> [BridgeAction] {
        guard !actions.isEmpty else { return [] }
        defer { actions.removeAll(keepingCapacity: true) }
        return actions
    }

    mutating func emit(_ action: BridgeAction) {
        actions.append(action)
    }

    /// An id that neither side uses.
    mutating func nextOwnID() -> OwnID {
        ownCount += 1
        return OwnID(tag: tag, number: ownCount)
    }

    /// Sends the daemon a request that the client knows nothing of.
    mutating func ask(_ request: OwnRequest, _ line: (Lexeme) -> SplicedMessage) {
        let own = nextOwnID()
        ownRequests[own.id] = request
        emit(.toDaemon(line(own.lexeme)))
    }
}
