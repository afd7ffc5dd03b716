import Dispatch
import GatewayConfiguration
public import GatewayEvents
public import Systemd

/// Every event's way to the sinks of its snapshot, and the promise that nothing passes unrecorded.
///
/// Loop-confined: created, called and released on one event loop, where its callbacks arrive too. The gateway calls, in
/// this order within one loop turn: ``refusal(for:method:tool:)`` before it admits a request, ``record(_:)`` for each
/// event, ``commit()`` once at the end, and only then forwards requests and delivers responses. ``tick()`` comes every
/// 100 ms, followed by ``commit()`` when ``hasPending`` says so.
///
/// The process must ignore SIGXFSZ (the daemon does): a write beyond RLIMIT_FSIZE then fails like one to a full disk.
public final class AuditTrail {
    /// What ``commit()`` came to.
    public enum Commit: Hashable, Sendable {
        /// All is written as its sink's durability asks. Requests recorded in this turn may be forwarded once
        /// ``AuditTrail/onDurable`` has reached `barrier`; at once when it is 0. Responses may be delivered.
        case done(barrier: UInt64)
        /// A critical sink could not take its bytes: nothing may be forwarded or delivered until a later commit is
        /// done, which it tries again.
        case blocked
    }

    /// Told on the loop, in rising order: all requests up to and including this barrier will survive a power loss.
    public var onDurable: ((_ barrier: UInt64) -> Void)?

    /// How one generation's events reach the sinks.
    private final class Plan {
        let snapshot: Snapshot
        let routes: [(sink: any AuditSink, mode: FileAuditingSettings.Mode)]
        let redaction: Redaction

        init(_ snapshot: Snapshot, _ routes: [(sink: any AuditSink, mode: FileAuditingSettings.Mode)]) {
            self.snapshot = snapshot
            self.routes = routes
            redaction = Redaction(names: SensitiveNames(extra: snapshot.settings.redactedNames))
        }
    }

    let run: String
    let version: String
    let clock: AuditClock
    private let calls: FileCalls
    private let syncs: SyncGroup
    private var current: Plan?
    /// The current generation and those that still have calls, by number.
    private var plans: [Int: Plan] = [:]
    /// In the order in which they were opened. Apart from the others, since every message passes here.
    private var sinks: [FileSink] = []
    /// The sinks of ``AuditTrail``'s other file, which alone sees these members: the journal's and the tool-call log, in the order in which they were opened.
    var streams: [any StreamSink] = []
    /// Streams that are not configured any more and have not got rid of everything.
    var stoppingStreams: [any StreamSink] = []
    let journal: JournalWriter
    let toolCallLog: ToolCallLogOutput
    /// Files that wrote their AUDIT_STOP and could not write all of it.
    private var stopping: [FileSink] = []
    /// Where a sink that was closed goes on counting when it is opened again in this run.
    var lastSeq: [String: UInt64] = [:]
    private var nextInspection: UInt64 = 0
    private var isClosed = false

    /// A trail without sinks. `run` is 8 hex digits, new for each process; `version` is the software's. `executor` runs
    /// a closure on the loop and may be called from any thread. `journal` takes the entries of `journal_auditing`, and
    /// of the tool-call log where `toolCallLog` says so; it is started when they need it, and closed after the
    /// trail by whoever made it.
    public convenience init(
        run: String, version: String, journal: JournalWriter, toolCallLog: ToolCallLogOutput,
        clock: AuditClock = .system,
        executor: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        // Serial: one thread at a time, and so at most one sync.
        let queue = DispatchQueue(label: "audit-sync")
        self.init(
            run: run, version: version, journal: journal, toolCallLog: toolCallLog, clock: clock, executor: executor,
            offload: { queue.async(execute: $0) }, calls: .system)
    }

    init(
        run: String, version: String, journal: JournalWriter, toolCallLog: ToolCallLogOutput, clock: AuditClock,
        executor: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        offload: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void, calls: FileCalls
    ) {
        self.run = run
        self.version = version
        self.journal = journal
        self.toolCallLog = toolCallLog
        self.clock = clock
        self.calls = calls
        syncs = SyncGroup(calls: calls, offload: offload, executor: executor)
        // Weak: a round in flight may outlive the trail.
        syncs.onDurable = { [weak self] in self?.onDurable?($0) }
        syncs.onResult = { [weak self] sink, code in
            guard let self else { return false }
            return (sinks + stopping).first { ObjectIdentifier($0) == sink }?.syncEnded(code) ?? false
        }
    }

    // MARK: Generations

    /// Makes `snapshot` the current one: opens the sinks that it routes to and are not open, with an AUDIT_START, and
    /// gives kept ones their new settings. A sink is kept when its resolved path stays. Calling it again with the
    /// current snapshot looks at the kept files again and changes nothing else.
    ///
    /// Everything is tried before anything changes. When it throws, the former snapshot stays in force; directories
    /// that were created stay too. Sinks that only former generations route to stay open until ``retire(generation:)``:
    /// call that for the former generation too when it has no call left.
    public func install(_ snapshot: Snapshot) throws(AuditError) {
        var routes: [(sink: FileSink, settings: FileAuditingSettings)] = []
        var opened: [FileSink] = []
        var undo: [() -> Void] = []
        do throws(AuditError) {
            for settings in snapshot.settings.fileAuditing {
                let place = try FilePlace(creating: settings.outputFile)
                guard !routes.contains(where: { $0.sink.name == place.path }) else {
                    throw AuditError(
                        code: .cannotOpen, path: settings.outputFile,
                        reason: "another 'file_auditing' leads to \(place.path) too; give each its own file")
                }
                if let kept = sinks.first(where: { $0.name == place.path }) {
                    undo.append(try kept.prepare(settings))
                    routes.append((kept, settings))
                } else {
                    let sink = try FileSink(
                        settings, at: place, snapshot: snapshot, run: run, after: lastSeq[place.path] ?? 0,
                        clock: clock, calls: calls)
                    undo.append { sink.abandon() }
                    opened.append(sink)
                    routes.append((sink, settings))
                }
            }
            for (sink, settings) in routes where !opened.contains(where: { $0 === sink }) {
                try sink.turnOver(to: settings)
            }
        } catch {
            for step in undo.reversed() { step() }
            throw error
        }
        for (sink, settings) in routes { sink.adopt(settings, snapshot) }
        sinks += opened
        for sink in opened { sink.record(.start(version: version, settings: .file(sink.settings))) }
        for (sink, _) in routes where !opened.contains(where: { $0 === sink }) { sink.tick(inspects: true) }
        let plan = Plan(snapshot, routes.map { ($0.sink, $0.settings.mode) } + installStreams(snapshot))
        plans[snapshot.generation] = plan
        current = plan
    }

    /// The last call of `generation` has ended. Sinks that neither the current snapshot nor another living generation
    /// routes to write AUDIT_STOP and are closed. Does nothing for the current generation.
    public func retire(generation: Int) {
        guard generation != current?.snapshot.generation else { return }
        plans[generation] = nil
        let ended = sinks.filter { !isRouted($0) }
        for sink in streams where !isRouted(sink) {
            streams.removeAll { $0 === sink }
            sink.stop("no longer configured")
            lastSeq[sink.name] = sink.seq
            if sink.hasPending { stoppingStreams.append(sink) }
        }
        for sink in ended {
            sinks.removeAll { $0 === sink }
            sink.stop("no longer configured")
            lastSeq[sink.name] = sink.seq
            if sink.finish() {
                syncAway(sink)
            } else {
                stopping.append(sink)
            }
        }
    }

    /// Whether calls under `snapshot` should bring their `params`.
    public func wantsParams(_ snapshot: Snapshot) -> Bool {
        snapshot.recordsParams
    }

    /// Whether outcomes under `snapshot` should bring their `result`.
    public func wantsResult(_ snapshot: Snapshot) -> Bool {
        snapshot.recordsResults
    }

    // MARK: Events

    /// nil when a request may be admitted: every critical sink that would record it has room for its REQUEST, and for
    /// one RESPONSE of the largest size for each call that waits. Else why not, as lower-case text without a path; each
    /// sink that is closed to it then counts one missing record, and the caller answers -32005.
    ///
    /// Follow a nil by `record` of the request in the same loop turn, before the next question.
    public func refusal(for snapshot: Snapshot, method: String, tool: String?) -> String? {
        var reason: String?
        for (sink, mode) in plan(for: snapshot).routes where mode.gates(method) {
            let refusal = sink.refusal()
            reason = reason ?? refusal
        }
        return reason
    }

    /// Routes one event to the sinks of its snapshot, which number and encode it. No I/O, except where a file is full.
    ///
    /// A request of a snapshot that was retired, which the contract excludes, goes the current one's way rather than
    /// none.
    public func record(_ event: AuditEvent) {
        // After the end there is nowhere to put it; a worker may come back late.
        guard !isClosed else { return }
        let plan = plan(for: event.snapshot)
        for (sink, mode) in plan.routes {
            if let role = mode.role(of: event.kind) {
                sink.record(event, as: role, redaction: plan.redaction)
            }
        }
    }

    /// Records how a reload ended: in the sinks of the event's snapshot, and in those that only `former` routes to, so
    /// that turning an audit off leaves its record in the log that is turned off. Each sink takes it once at most. Call
    /// it after ``install(_:)`` and before ``retire(generation:)`` of the former one; for a refused reload both are the
    /// same.
    public func recordReload(_ event: AuditEvent, former: Snapshot) {
        record(event)
        guard !isClosed, let old = plans[former.generation] else { return }
        let current = plan(for: event.snapshot)
        guard old !== current else { return }
        for (sink, mode) in old.routes where !current.routes.contains(where: { $0.sink === sink }) {
            if let role = mode.role(of: event.kind) { sink.record(event, as: role, redaction: old.redaction) }
        }
    }

    /// Whether ``commit()`` has something to write, now or at ``nextFlush``.
    public var hasPending: Bool {
        sinks.contains { $0.hasPending } || !stopping.isEmpty || streams.contains { $0.hasPending }
    }

    /// When ``commit()`` must be called at the latest, in nanoseconds of the monotonic clock: a sink of durability
    /// `none` gathers records for up to 50 ms. nil when none does. ``tick()`` keeps to it as well, but comes late.
    public var nextFlush: UInt64? {
        var first: UInt64?
        for sink in sinks {
            guard let next = sink.nextFlush else { continue }
            first = min(first ?? next, next)
        }
        return first
    }

    /// Ends a loop turn: one write(2) for each file that has something to write. Streams never block.
    public func commit() -> Commit {
        var isBlocked = false
        for sink in sinks where !sink.commit() { isBlocked = true }
        for sink in streams { sink.commit() }
        if !stopping.isEmpty { finishStopping() }
        if isBlocked { return .blocked }
        var requests: [SyncGroup.Request] = []
        for sink in sinks {
            guard let targets = sink.takeSync() else { continue }
            requests.append(SyncGroup.Request(sink: ObjectIdentifier(sink), targets: targets))
        }
        return .done(barrier: requests.isEmpty ? 0 : syncs.ask(requests))
    }

    // MARK: Time

    /// Every 100 ms: tries again what failed, opens gates that may open, writes AUDIT_GAPs, and once a second looks
    /// whether a file was replaced, removed or cut.
    public func tick() {
        let now = clock.monotonic()
        let inspects = now >= nextInspection
        if inspects { nextInspection = now + 1_000_000_000 }
        for sink in sinks { sink.tick(inspects: inspects) }
        for sink in streams { sink.tick() }
        if !stoppingStreams.isEmpty { finishStoppingStreams() }
        if !stopping.isEmpty { finishStopping() }
        syncs.tick()
    }

    /// Opens every file anew, as after SIGUSR1: a log rotator has moved them away.
    public func reopen() {
        for sink in sinks { sink.reopen() }
    }

    /// The end: AUDIT_STOP in every sink, everything written and synced on this thread, all files closed. Bytes that
    /// the system still does not take are lost, and ``status()`` no longer knows of them.
    public func close(reason: String) {
        for sink in sinks { sink.stop(reason) }
        for sink in streams { sink.stop(reason) }
        finishStoppingStreams()
        for sink in sinks + stopping {
            _ = sink.finish()
            sink.synchronize()
        }
        isClosed = true
        sinks = []
        streams = []
        stopping = []
        plans = [:]
        current = nil
    }

    /// How each sink stands: files, then the journal and the tool-call log, each in the order in which they were opened.
    public func status() -> [SinkStatus] {
        (sinks + stopping).map { $0.status } + (streams + stoppingStreams).map { $0.status }
    }

    // MARK: Inside

    @inline(__always)
    private func plan(for snapshot: Snapshot) -> Plan {
        guard let current else { preconditionFailure("an event before the first snapshot was installed") }
        if current.snapshot === snapshot { return current }
        return plans[snapshot.generation] ?? current
    }

    private func isRouted(_ sink: any AuditSink) -> Bool {
        plans.values.contains { plan in plan.routes.contains { $0.sink === sink } }
    }

    private func finishStopping() {
        for sink in stopping where sink.finish() {
            stopping.removeAll { $0 === sink }
            syncAway(sink)
        }
    }

    private func syncAway(_ sink: FileSink) {
        guard let targets = sink.takeLastSync() else { return }
        _ = syncs.ask([SyncGroup.Request(sink: ObjectIdentifier(sink), targets: targets)])
    }
}
