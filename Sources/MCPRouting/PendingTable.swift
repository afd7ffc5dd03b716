internal import EraTranslation
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

/// A request in flight: who asked, under which snapshot, and how its answer finds its way back. Held by the router
/// alone.
final class Pending {
    /// Who gets the answer.
    enum Owner {
        case client(SessionID)
        /// The gateway itself asked.
        case gateway(OwnRequest)
    }

    /// What the answer changes beside reaching the client.
    enum Effect {
        case none
        case subscribed(ExactName)
        case initialize(offer: String)
        case discover
        case listen(Listening)
    }

    /// Where the request is.
    enum Stage {
        /// Waits for its upstream.
        case waiting
        /// Was written to the upstream.
        case forwarded
        /// Answered; a worker looks at the result.
        case reviewing
        /// Its upstream needs to know more, and its legacy client is being asked.
        case asking
        /// Its modern client was answered with what its upstream asks; the upstream still works on it.
        case held
        /// A modern client's retry: waits for the answer to the call that is held.
        case continuing
        /// Has had its RESPONSE; stays only so that a late answer is known.
        case tombstone
    }

    let owner: Owner
    /// Its client's era.
    let era: Era
    /// Whether its upstream is of the other era.
    var isBridged = false
    /// The client's message, where an upstream of the other era may ask something during it.
    var original: Message?
    /// What its modern client declared with it, in front of a legacy upstream.
    var declared: ClientFeatures = []
    /// What a legacy upstream wanted of its modern client during it, and was refused, since it was not declared.
    var lacking: ClientFeatures = []
    /// From which level on its modern client wants to read log messages during it, where its upstream is legacy.
    var logLevel: MCPLogLevel?
    /// What its legacy client is being asked, and how often it was.
    var round: InputRound?
    var rounds = 0
    /// The held call that a retry continues, and the retry of a held call.
    var predecessor: PendingID?
    var successor: PendingID?
    /// The client's id as sent.
    let id: Lexeme
    /// The client's id as a key of its session.
    let key: RequestID
    /// The client's progress token as sent.
    let token: Lexeme?
    let call: AuditEvent.Call
    let snapshot: Snapshot
    let identity: SessionIdentity?
    let admitted: UInt64
    var upstream: UpstreamID
    let batch: BatchID?
    /// What the client's answer belongs to.
    let exchange: Exchange
    /// Whether policies look at its result.
    let isReviewed: Bool
    let effect: Effect
    var stage: Stage
    /// The timeout in force, in nanoseconds, and the point that progress cannot push it beyond. The largest number for
    /// none.
    var timeout: UInt64
    let hardDeadline: UInt64

    init(
        owner: Owner, era: Era = .legacy, id: Lexeme = .null, key: RequestID = .integer(0), token: Lexeme? = nil,
        call: AuditEvent.Call,
        snapshot: Snapshot, identity: SessionIdentity? = nil, admitted: UInt64, upstream: UpstreamID,
        batch: BatchID? = nil, exchange: Exchange = .session, isReviewed: Bool = false, effect: Effect = .none,
        stage: Stage, timeout: UInt64,
        hardDeadline: UInt64
    ) {
        self.owner = owner
        self.era = era
        self.id = id
        self.key = key
        self.token = token
        self.call = call
        self.snapshot = snapshot
        self.identity = identity
        self.admitted = admitted
        self.upstream = upstream
        self.batch = batch
        self.exchange = exchange
        self.isReviewed = isReviewed
        self.effect = effect
        self.stage = stage
        self.timeout = timeout
        self.hardDeadline = hardDeadline
    }

    /// Whether it is an open subscription.
    var isListen: Bool {
        switch (owner, effect) {
        case (.gateway(.listen), _), (_, .listen): true
        default: false
        }
    }

    var session: SessionID? {
        if case .client(let session) = owner { session } else { nil }
    }
}

/// What the gateway asks an upstream for on its own account.
enum OwnRequest {
    case discover
    case initialize
    case setLevel
    case subscribe
    case unsubscribe
    case tools(page: Int)
    /// The gateway's own `subscriptions/listen`: has no end of its own.
    case listen
}

/// All requests in flight, found by place in constant time, with their deadlines.
///
/// Deadlines are lists, one per timeout length, each in order of expiry because a request enters at the tail: to
/// restart one is to move it there, and a tick looks only at the heads.
struct PendingTable {
    private struct Slot {
        var generation: UInt32 = 1
        var pending: Pending?
        var deadline: UInt64 = 0
        var list = -1
        var previous = -1
        var next = -1
    }

    private struct DeadlineList {
        var timeout: UInt64
        var head = -1
        var tail = -1
    }

    private var slots: [Slot] = []
    private var free: [Int] = []
    private var lists: [DeadlineList] = []
    private(set) var count = 0

    /// Whether no place is left for another request.
    var isFull: Bool { count >= PendingID.capacity }

    /// The same for clients: the gateway's own requests always find a place.
    var isFullForClients: Bool { count >= PendingID.capacity - 4096 }

    /// Stores a request; its deadline is `timeout` from `now`. The table must not be full.
    mutating func insert(_ pending: Pending, now: UInt64) -> PendingID {
        let index: Int
        if let reused = free.popLast() {
            index = reused
        } else {
            index = slots.count
            slots.append(Slot())
        }
        slots[index].pending = pending
        count += 1
        link(index, now: now)
        return PendingID(index: index, generation: slots[index].generation)
    }

    /// The request, or nil when it has ended.
    subscript(id: PendingID) -> Pending? {
        contains(id) ? slots[id.index].pending : nil
    }

    /// Reads a request in place; nil when it has ended.
    func read<T>(_ id: PendingID, _ body: (Pending) -> T) -> T? {
        guard contains(id) else { return nil }
        // `contains` has just seen it.
        return body(slots[id.index].pending!)
    }

    /// What an answer to a request means.
    enum Standing {
        case own(OwnRequest)
        case waiting, reviewing, tombstone, held
        /// Nothing of it is at the upstream.
        case withClient
        case forwarded(isReviewed: Bool)
    }

    /// nil when the request has ended.
    func standing(of id: PendingID) -> Standing? {
        read(id) { request in
            if case .gateway(let own) = request.owner { return .own(own) }
            switch request.stage {
            case .waiting: return .waiting
            case .reviewing: return .reviewing
            case .tombstone: return .tombstone
            case .held: return .held
            case .asking, .continuing: return .withClient
            case .forwarded: return .forwarded(isReviewed: request.isReviewed)
            }
        }
    }

    func contains(_ id: PendingID) -> Bool {
        id.index < slots.count && slots[id.index].generation == id.generation && slots[id.index].pending != nil
    }

    /// Changes a request in place; nothing happens when it has ended.
    mutating func update(_ id: PendingID, _ change: (Pending) -> Void) {
        guard contains(id) else { return }
        // `contains` has just seen it.
        change(slots[id.index].pending!)
    }

    /// Takes a request out.
    mutating func remove(_ id: PendingID) -> Pending? {
        guard contains(id), let pending = slots[id.index].pending else { return nil }
        unlink(id.index)
        slots[id.index].pending = nil
        // 0 is never a generation, so that PendingID(number: 0) … (number: 0xFFFFF) find nothing.
        slots[id.index].generation = slots[id.index].generation == .max ? 1 : slots[id.index].generation + 1
        free.append(id.index)
        count -= 1
        return pending
    }

    /// Starts a request's timeout again from `now`.
    mutating func restart(_ id: PendingID, now: UInt64) {
        guard contains(id) else { return }
        unlink(id.index)
        link(id.index, now: now)
    }

    /// The requests whose deadline has come, oldest first. They stay in the table.
    func expired(at now: UInt64) -> [PendingID] {
        var found: [PendingID] = []
        for list in lists {
            var index = list.head
            while index >= 0, slots[index].deadline <= now {
                found.append(PendingID(index: index, generation: slots[index].generation))
                index = slots[index].next
            }
        }
        return found
    }

    /// Every request for which `matches` holds. Walks the table: for ends of sessions and upstreams only.
    func all(where matches: (Pending) -> Bool) -> [PendingID] {
        slots.indices.compactMap { index in
            guard let pending = slots[index].pending, matches(pending) else { return nil }
            return PendingID(index: index, generation: slots[index].generation)
        }
    }

    private mutating func link(_ index: Int, now: UInt64) {
        // `insert` and `restart` only link occupied slots.
        let timeout = slots[index].pending!.timeout
        guard timeout < .max else { return slots[index].list = -1 }
        let list = self.list(for: timeout)
        slots[index].deadline = now + timeout
        slots[index].list = list
        slots[index].previous = lists[list].tail
        slots[index].next = -1
        if lists[list].tail >= 0 {
            slots[lists[list].tail].next = index
        } else {
            lists[list].head = index
        }
        lists[list].tail = index
    }

    /// Reloads bring new timeouts: an empty list is taken over before another one is made.
    private mutating func list(for timeout: UInt64) -> Int {
        if let same = lists.firstIndex(where: { $0.timeout == timeout }) { return same }
        if let empty = lists.firstIndex(where: { $0.head < 0 }) {
            lists[empty].timeout = timeout
            return empty
        }
        lists.append(DeadlineList(timeout: timeout))
        return lists.count - 1
    }

    private mutating func unlink(_ index: Int) {
        let slot = slots[index]
        guard slot.list >= 0 else { return }
        if slot.previous >= 0 { slots[slot.previous].next = slot.next } else { lists[slot.list].head = slot.next }
        if slot.next >= 0 { slots[slot.next].previous = slot.previous } else { lists[slot.list].tail = slot.previous }
    }
}
