internal import DequeModule
internal import EraTranslation
internal import GatewayConfiguration
public import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import OutputSanitizer
internal import ToolPolicy

/// Whether the audit can take a request's records: nil, or why not. Asked once for each request, right before it is
/// admitted; asking counts the request as missing when the answer is no.
public typealias AuditGate = (_ snapshot: Snapshot, _ method: String, _ tool: String?) -> String?

/// Sessions, upstreams and the requests between them: events go in, ``Action`` values come out. It has no channels, no
/// clock and does no input or output, so every interleaving is a deterministic test.
///
/// A message's way: ``receive(_:from:exchange:at:gate:)`` in `Router+FromClient.swift` takes it from a client to the
/// upstream, and ``receive(_:from:at:)-(_,UpstreamID,_)`` in `Router+FromUpstream.swift` takes the answer back.
///
/// Confinement: one owner, the gateway loop. After each event the owner calls ``takeActions(into:)`` and performs them
/// in order.
public struct Router {
    /// The snapshot that the next admitted request takes.
    public internal(set) var snapshot: Snapshot
    /// The software's version, told to upstreams.
    let version: String

    var sessions = SlotTable<SessionID, Session>()
    var upstreams = SlotTable<UpstreamID, UpstreamState>()
    var pending = PendingTable()
    var batches: [BatchID: Batch] = [:]
    var nextBatch = 1
    /// The process that sessions without capabilities share. Where sessions are dedicated it only proves that the
    /// upstream can be started, and is gone when no session of an earlier configuration uses it: then nothing is found
    /// under this.
    var shared: UpstreamID
    /// The shared process of the other era, for sessions whose era ``shared`` does not speak.
    var second: UpstreamID?
    /// What the last shared process, or proof, answered with, and the same of ``second``.
    var proven: [Era: Handshake] = [:]
    /// What ``shared`` was started for, and what is known of the eras of each command that was in force.
    var question: EraQuestion
    var verdicts: [EraQuestion: EraVerdict] = [:]
    /// The one that will take over from ``shared``, and what it was started for.
    var nextShared: UpstreamID?
    var nextQuestion: EraQuestion?
    /// The last first messages of processes that were given up: their answers may still come.
    var lostOpenings: [PendingID] = []
    var ownUpstreams = 0
    /// `max_dedicated` of the snapshot, which is looked at with each message of a client.
    var mostOwnUpstreams: Int
    /// Those among them that were told to end, and have not yet.
    var leavingUpstreams = 0
    /// Those among them that wait for one to end before they are started: no more than `max_dedicated` run at a time.
    var postponedStarts = Deque<UpstreamID>()
    /// Calls of modern clients that legacy upstreams hold open, by the number that their state names; what signs it.
    var heldCalls: [UInt64: HeldCall] = [:]
    var nextHeld: UInt64 = 0
    /// The headers that repeat arguments, by tool, as the command in force has last shown them: for a session whose own
    /// process has shown nothing yet.
    var knownHeaders: [String: ParameterHeaders] = [:]
    /// `server/discover` requests that wait for a first handshake, and until when, in monotonic nanoseconds.
    var waitingDiscovers = Deque<(id: PendingID, due: UInt64)>()
    /// Calls that modern upstreams only want to be sent again: at the next tick.
    var idleRounds: [PendingID] = []
    var lastQuestion: UInt64 = 0
    var stateKeys = RequestStateKeys(RequestStateKey(), lifetime: stateLifetime)
    /// Those of upstreams that could have been meant for more than one session.
    var droppedNotifications = 0
    /// Responses that the sanitiser rewrote, and what it took out of them.
    var sanitizedResponses = 0
    var sanitized = RemovalCounts()
    /// How many calls run under each snapshot that is still in use, current one last.
    var generations: [(generation: Int, calls: Int)]
    var actions: [Action] = []

    /// Starts with one snapshot and the shared upstream, which the first actions ask to be started. Where sessions are
    /// dedicated, that one is ended when it has shaken hands: it proves that the upstream can be started.
    public init(snapshot: Snapshot, version: String) {
        self.snapshot = snapshot
        self.version = version
        generations = [(snapshot.generation, 0)]
        mostOwnUpstreams = snapshot.settings.upstream.maxDedicated
        question = EraQuestion(snapshot.settings.upstream)
        shared = upstreams.insert(
            UpstreamState(role: .shared, opening: EraVerdict(snapshot.settings.upstream.era).opening))
        actions.append(.start(shared, .shared))
    }

    /// The revisions that clients may speak.
    public static var protocolVersions: Set<String> { ProtocolVersion.legacy }

    /// Whether there is anything to perform.
    public var hasActions: Bool { !actions.isEmpty }

    /// Moves the actions out, in order. `list` must be empty; its storage is used for the next ones.
    public mutating func takeActions(into list: inout [Action]) {
        Swift.swap(&actions, &list)
    }

    // MARK: - What every part uses

    mutating func record(
        _ kind: AuditEvent.Kind, session: SessionIdentity?, under snapshot: Snapshot? = nil, at now: Moment
    ) {
        actions.append(
            .record(
                AuditEvent(time: now.wall, snapshot: snapshot ?? self.snapshot, session: session, kind: kind)))
    }

    /// Sends one answer to a client, through its batch when it came in one.
    mutating func deliver(_ message: SplicedMessage, to session: SessionID, batch: BatchID?, exchange: Exchange) {
        guard let batch else {
            guard sessions.contains(session) else { return }
            actions.append(.send(session, message, exchange))
            return endExchange(exchange, of: session)
        }
        settle(batch, with: message)
    }

    /// A request's exchange has had its last message.
    mutating func endExchange(_ exchange: Exchange, of session: SessionID) {
        guard exchange != .session else { return }
        actions.append(.exchangeEnded(session, exchange))
    }

    /// A client does not wait for this request any more: its batch goes on without it, its exchange ends.
    mutating func leaveUnanswered(_ request: Pending) {
        if let batch = request.batch {
            settle(batch, with: nil)
        } else if let session = request.session {
            endExchange(request.exchange, of: session)
        }
    }

    /// Puts a message on its way to an upstream, or in line when the upstream is not there.
    mutating func dispatch(
        _ content: UpstreamState.Waiting.Content, of session: SessionID, to id: UpstreamID, at now: Moment
    ) {
        if upstreams.read(id, { $0.phase == .ready }) == true {
            return release(content, to: id, at: now)
        }
        let size =
            switch content {
            case .request(_, let message), .notification(let message): message.bytes.readableBytes
            case .initialize, .discover: 0
            }
        upstreams.update(id) {
            $0.waiting.append(
                UpstreamState.Waiting(content: content, session: session, since: now.monotonic, byteCount: size))
            $0.waitingBytes += size
        }
    }

    /// Hands a message to an upstream that is ready.
    mutating func release(_ content: UpstreamState.Waiting.Content, to id: UpstreamID, at now: Moment) {
        switch content {
        case .notification(let message):
            guard message.hasEnvelope, upstreams.read(id, { $0.era }) == .legacy else {
                return actions.append(.forward(id, SplicedMessage(message.bytes)))
            }
            actions.append(.forward(id, RequestEnvelope.stripped(from: message).applied(to: message.bytes)))
        case .request(let number, let message):
            // It may have been cancelled or have timed out while it waited.
            guard let request = pending[number] else { return }
            if (upstreams.read(id) { $0.era } ?? nil) != request.era {
                return releaseBridged(number, request, message, to: id, at: now)
            }
            request.stage = .forwarded
            if let session = request.session, !request.isListen { beginWork(of: session, on: id) }
            // Log messages never come on the stream of a subscription (2026-07-28, basic/transports/streamable-http).
            if message.scan[.metaLogLevel].isPresent, !request.isListen {
                upstreams.update(id) { $0.loggers.insert(number) }
            }
            var outgoing = SplicedMessage(message.bytes)
            outgoing.replace(message.scan[.id], withInteger: number.number)
            let token = message.scan[.metaProgressToken]
            if token.isPresent { outgoing.replace(token, withInteger: number.number) }
            actions.append(.forward(id, outgoing))
        case .initialize(let request):
            answerInitialize(request, at: now)
        case .discover(let request):
            answerDiscover(request, by: id, at: now)
        }
    }

    // MARK: - Who an upstream works for

    mutating func beginWork(of session: SessionID, on upstream: UpstreamID) {
        let isFirst = sessions.update(session) {
            $0.working += 1
            return $0.working == 1
        }
        guard isFirst == true else { return }
        upstreams.update(upstream) {
            $0.busyCount += 1
            $0.busySum += session.index
        }
    }

    mutating func endWork(of session: SessionID, on upstream: UpstreamID) {
        // What a process that was swapped out still did for it had become nobody's at the swap.
        guard sessions.read(session, { $0.upstream == upstream }) != false else {
            upstreams.update(upstream) { $0.ghosts -= 1 }
            return
        }
        let isLast = sessions.update(session) {
            $0.working -= 1
            return $0.working == 0
        }
        upstreams.update(upstream) {
            switch isLast {
            case nil: $0.ghosts -= 1
            case true?:
                $0.busyCount -= 1
                $0.busySum -= session.index
            case false?: break
            }
        }
    }
}
