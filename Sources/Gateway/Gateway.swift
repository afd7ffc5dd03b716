public import AuditTrail
internal import GatewayConfiguration
public import GatewayEvents
internal import JSONRPCWire
public import Logging
public import MCPRouting
public import NIOCore
public import NIOPosix
public import Upstream

/// The loop: performs what routing decided, and sees to it that nothing leaves before its audit record is written.
///
/// Confinement: everything here runs on ``eventLoop``; each entry asserts it. One turn gathers what all ready channels
/// brought; its end writes the audit once and then flushes, so a turn costs one audit write however many calls it
/// carried.
public final class Gateway {
    /// The one loop of the daemon.
    public let eventLoop: any EventLoop
    let trail: AuditTrail
    let spawner: SpawnThread
    let workers: NIOThreadPool
    /// What the time is here.
    public let clock: GatewayClock
    let logger: Logger
    /// The audit's gate, as routing asks it; made once, since it is handed in with every message.
    let gate: AuditGate
    /// Builds the launch plan of an upstream from a snapshot.
    let launchPlan: (Snapshot) -> LaunchPlan
    /// The restart rules of an upstream: the configuration knows whether this is a lone stdio session.
    let restartPolicy: (Snapshot) -> RestartPolicy

    /// Shows every message, for `--debug`; nil otherwise.
    var wireLog: WireLog?
    /// Metrics, when they are on.
    public var observer: (any GatewayObserver)? {
        didSet {
            // What was noted for another observer may be long gone.
            for client in clients.values { client.measured = HeldMessages() }
            for upstream in upstreams.values { upstream.measured = HeldMessages() }
        }
    }
    /// When what is being taken in was read, in monotonic nanoseconds; 0 when nothing is.
    var readAt: UInt64 = 0
    var router: Router
    var clients = LinkTable<SessionID, ClientLink>()
    var upstreams = LinkTable<UpstreamID, UpstreamLink>()
    /// Those that routing has forgotten, until their processes are gone: their places may be taken again meanwhile.
    var endingUpstreams: [UpstreamID: UpstreamLink] = [:]
    var dirtyClients: [ClientLink] = []
    /// Those of ``dirtyClients`` that are being flushed; empty otherwise.
    private var flushing: [ClientLink] = []
    var dirtyUpstreams: [UpstreamLink] = []
    /// Clients whose session has ended and that still have to get this turn's bytes.
    var closing: [ClientLink] = []
    /// Channels of ended sessions that are not closed yet.
    var lingering = 0
    var actions: [Action] = []
    var isTurnOpen = false
    /// Counts turns; a client's share of one is in ``TurnShare``.
    var turn: UInt64 = 0
    /// Clients that used up their share and have sent more, in the order in which they did.
    var line: [ClientLink] = []
    var isLineOpen = false
    var isPerforming = false
    /// The last barrier that a commit asked for, and the last that has been reached; see ``AuditTrail/Commit``.
    private var lastBarrier: UInt64 = 0
    private var durableThrough: UInt64 = 0
    var ticks: RepeatedTask?
    private var flush: Scheduled<Void>?
    var tickCount = 0
    var shutdown: ShutdownState?
    /// A reload that waits for its upstream's handshake.
    var adoption: PendingAdoption?

    /// Called when the shared upstream has shaken hands for the first time, or will not: then with the reason.
    public var onFirstHandshake: ((String?) -> Void)?
    /// Called when a session's channel has been told to close.
    public var onSessionEnded: ((SessionID, CloseReason) -> Void)?
    /// Called when an upstream's restarts are used up and it will not be tried again: stdio then ends with exit code 1.
    public var onUpstreamGaveUp: ((String) -> Void)?

    /// Joins the parts. `snapshot` must be installed in `trail` already. Nothing starts before ``start()``.
    public init(
        snapshot: Snapshot, version: String, eventLoop: any EventLoop, trail: AuditTrail, spawner: SpawnThread,
        workers: NIOThreadPool, clock: GatewayClock = .system, logger: Logger,
        launchPlan: @escaping (Snapshot) -> LaunchPlan, restartPolicy: @escaping (Snapshot) -> RestartPolicy
    ) {
        self.eventLoop = eventLoop
        self.trail = trail
        self.spawner = spawner
        self.workers = workers
        self.clock = clock
        self.logger = logger
        gate = { snapshot, method, tool in trail.refusal(for: snapshot, method: method, tool: tool) }
        self.launchPlan = launchPlan
        self.restartPolicy = restartPolicy
        router = Router(snapshot: snapshot, version: version)
    }

    /// Starts the shared upstream and the 100 ms tick.
    public func start() {
        eventLoop.assertInEventLoop()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ticks = eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(100), delay: .milliseconds(100)) { _ in
            bound.value.tick()
        }
        trail.onDurable = { [weak self] barrier in self?.released(through: barrier) }
        perform()
    }

    /// The snapshot that the next request runs under.
    public var snapshot: Snapshot { router.snapshot }

    /// Tells clients at once why there will be no upstream: the start has failed.
    public func failUpstream(_ reason: String) {
        router.failShared(reason, at: clock.now())
        perform()
    }

    // MARK: - Performing

    /// Performs what routing has decided since the last call, in order.
    func perform() {
        guard !isPerforming else { return }
        isPerforming = true
        defer { isPerforming = false }
        while router.hasActions {
            router.takeActions(into: &actions)
            if wireLog != nil { for action in actions { show(action) } }
            for action in actions { perform(action) }
            actions.removeAll(keepingCapacity: true)
        }
        openTurn()
    }

    private func perform(_ action: Action) {
        switch action {
        case .send(let id, let message, let exchange):
            guard let client = clients[id] else { return }
            if observer != nil, readAt > 0 { client.measured.add(readAt: readAt) }
            if client.exchanges == nil {
                client.outbox.append(message)
            } else {
                client.parcels.append(.message(message.rendered(), exchange))
            }
            markDirty(client)
        case .exchangeEnded(let id, let exchange):
            guard let client = clients[id] else { return }
            client.parcels.append(.end(exchange))
            markDirty(client)
        case .forward(let id, let message):
            guard let upstream = upstreams[id] else { return }
            upstream.outbox.append(message)
            if observer != nil, readAt > 0 { upstream.measured.add(readAt: readAt) }
            if !upstream.isDirty {
                upstream.isDirty = true
                dirtyUpstreams.append(upstream)
            }
        case .record(let event):
            trail.record(event)
            observer?.observe(event)
        case .close(let id, let reason):
            close(id, reason)
        case .start(let id, let role):
            startUpstream(id, role)
        case .recycle(let id):
            upstreams[id]?.process?.recycle(grace: 2)
        case .stop(let id):
            stopUpstream(id)
        case .review(let id, let message, let snapshot, let method):
            review(id, message, snapshot, method)
        case .upstreamReady(let id):
            guard upstreams[id]?.role == .shared else { return }
            onFirstHandshake?(nil)
            onFirstHandshake = nil
        case .swapReady:
            finishAdoption()
        case .swapFailed(let failure):
            adoptionFailed(.upstream(failure.reason))
        case .relaunch(let id):
            upstreams[id]?.process?.relaunch(launchPlan(snapshot), grace: 2)
        case .generationEnded(let generation):
            trail.retire(generation: generation)
        case .log(let note):
            logger.log(level: note.isWarning ? .warning : .info, "\(note.text)")
        }
    }

    @inline(__always)
    private func markDirty(_ client: ClientLink) {
        guard !client.isDirty else { return }
        client.isDirty = true
        dirtyClients.append(client)
    }

    // MARK: - Turns

    /// Sees to it that the turn's end runs once, after every channel that is ready now has been read.
    func openTurn() {
        guard !isTurnOpen, hasWork else { return }
        isTurnOpen = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.endTurn() }
    }

    private var hasWork: Bool {
        !line.isEmpty || !dirtyClients.isEmpty || !dirtyUpstreams.isEmpty || !closing.isEmpty || trail.hasPending
    }

    /// Writes the audit, then lets go of what the turn brought. A sink that cannot take its bytes holds everything;
    /// the tick tries again.
    func endTurn() {
        isTurnOpen = false
        turn += 1
        switch trail.commit() {
        case .blocked:
            // Their answers wait here meanwhile, where nothing else would stop them from asking for more.
            for client in dirtyClients where client.waitingBytes > Self.highWater { client.pause(.outbound, true) }
            return
        case .done(let barrier):
            lastBarrier = max(lastBarrier, barrier)
            // What waited for its upstream was recorded in an earlier turn, which may not be on the disk yet.
            flushUpstreams(behind: lastBarrier > durableThrough ? lastBarrier : 0)
            flushClients()
        }
        scheduleFlush()
        finishShutdownIfDrained()
        openLine()
    }

    /// A sink of durability `none` may keep its records for 50 ms, which the tick is too coarse for.
    private func scheduleFlush() {
        guard flush == nil, let due = trail.nextFlush else { return }
        let now = clock.now().monotonic
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        flush = eventLoop.scheduleTask(in: .nanoseconds(due > now ? Int64(due - now) : 0)) {
            bound.value.flush = nil
            bound.value.endTurn()
        }
    }

    private func flushUpstreams(behind barrier: UInt64) {
        let now = observer == nil || dirtyUpstreams.isEmpty ? 0 : clock.now().monotonic
        for upstream in dirtyUpstreams {
            upstream.isDirty = false
            if barrier > 0 || !upstream.held.isEmpty {
                // What must not wait for the disk still may not overtake what does.
                upstream.heldBytes += upstream.outbox.byteCount
                upstream.held.append(
                    (max(barrier, upstream.held.last?.barrier ?? 0), upstream.outbox.take(), upstream.measured.take()))
                checkCongestion(of: upstream)
                continue
            }
            if let buffer = upstream.outbox.takeSingle() {
                upstream.process?.write(buffer)
                upstream.process?.flush()
            } else {
                upstream.write(upstream.outbox.take())
            }
            if let observer { upstream.measured.tell(observer, .toUpstream, at: now) }
            checkCongestion(of: upstream)
        }
        dirtyUpstreams.removeAll(keepingCapacity: true)
    }

    /// A `sync` sink is durable through `barrier`.
    private func released(through barrier: UInt64) {
        eventLoop.assertInEventLoop()
        durableThrough = max(durableThrough, barrier)
        for upstream in upstreams.values + endingUpstreams.values {
            while var first = upstream.held.first, first.barrier <= barrier {
                upstream.held.removeFirst()
                upstream.heldBytes -= first.buffers.reduce(0) { $0 + $1.readableBytes }
                upstream.write(first.buffers)
                if let observer { first.measured.tell(observer, .toUpstream, at: clock.now().monotonic) }
            }
            checkCongestion(of: upstream)
        }
    }

    private func flushClients() {
        let now = dirtyClients.isEmpty ? 0 : clock.now().monotonic
        // An HTTP answer may let in the request that was pipelined behind it, from within the flush: what that leads to
        // belongs to the next turn.
        swap(&dirtyClients, &flushing)
        let ended = closing
        closing.removeAll()
        for client in flushing {
            client.isDirty = false
            client.lastActivity = now
            if let channel = client.exchanges {
                client.handOver(to: channel)
            } else if let buffer = client.outbox.takeSingle() {
                if buffer.readableBytes > 0 { client.channel.write(buffer) }
            } else {
                for buffer in client.outbox.take() { client.channel.write(buffer) }
            }
            client.channel.flush()
            if let observer { client.measured.tell(observer, .toClient, at: now) }
            checkReader(of: client)
        }
        flushing.removeAll(keepingCapacity: true)
        for client in ended { letGo(of: client, isAbrupt: false) }
    }

    // MARK: - Time

    private func tick() {
        tickCount += 1
        trail.tick()
        router.tick(at: clock.now())
        for upstream in upstreams.values { checkCongestion(of: upstream) }
        if tickCount % 10 == 0 {
            endIdleSessions()
            for client in clients.values where client.overCapSince != nil { checkReader(of: client) }
        }
        perform()
        if !isTurnOpen, hasWork { endTurn() }
        tickShutdown()
    }

    private func endIdleSessions() {
        let limit = snapshot.settings.timeouts.idleSession
        guard limit > 0 else { return }
        let now = clock.now()
        for client in clients.values where client.channel.expiresWhenIdle && router.isIdle(client.id) {
            if now.monotonic - client.lastActivity > UInt64(limit * 1e9) { router.end(client.id, .idle, at: now) }
        }
    }
}
