internal import AuditTrail
internal import Gateway
internal import GatewayConfiguration
public import GatewayEvents

/// Reload as one transaction: read, compare, build, probe, swap, report. Whatever fails, the snapshot in force stays.
///
/// Confined to the gateway loop. Requests coalesce: one that comes while a reload runs has another one run afterwards,
/// so that a reload always begins after the last request. It knows nothing of signals or systemd.
public final class Reloader {
    /// What time it is.
    public struct Moment: Sendable {
        /// CLOCK_MONOTONIC, nanoseconds.
        public var monotonic: UInt64
        /// Nanoseconds since 1970-01-01 UTC.
        public var wall: Int64

        /// Joins the two.
        public init(monotonic: UInt64, wall: Int64) {
            self.monotonic = monotonic
            self.wall = wall
        }
    }

    private enum State {
        /// The start has not succeeded yet; a request is remembered.
        case starting(isAsked: Bool)
        case idle
        case running(Run, isAskedAgain: Bool)
        /// The gateway is ending.
        case stopped
    }

    private struct Run {
        let began: UInt64
        let former: Snapshot
    }

    // The target owns the reloader.
    private unowned let target: any ReloadTarget
    private let now: () -> Moment
    private var state = State.starting(isAsked: false)
    private var snapshot: Snapshot
    private var loaded: LoadedConfiguration
    private var written: Settings
    /// The last one; nil before the first.
    public private(set) var lastOutcome: ReloadOutcome?
    /// Where `.env` stood when it was last looked at.
    public private(set) var environmentSource: EnvironmentSource

    /// Takes what the start read, and the snapshot made of it. `target` must outlive it.
    public init(start: Candidate, snapshot: Snapshot, target: any ReloadTarget, now: @escaping () -> Moment) {
        loaded = start.loaded
        written = start.written
        environmentSource = start.environmentSource
        self.snapshot = snapshot
        self.target = target
        self.now = now
    }

    /// Whether a reload runs.
    public var isReloading: Bool { if case .running = state { true } else { false } }

    /// Somebody wants the configuration read again.
    public func request() {
        switch state {
        case .starting: state = .starting(isAsked: true)
        case .idle: begin()
        case .running(let run, _): state = .running(run, isAskedAgain: true)
        case .stopped: return
        }
    }

    /// The start has succeeded: requests are served from now on.
    public func startSucceeded() {
        guard case .starting(let isAsked) = state else { return }
        state = .idle
        if isAsked { begin() }
    }

    /// The gateway is ending: nothing begins any more. One that runs comes to its end; it opens nothing that it has not
    /// begun to open.
    public func stop() {
        if case .running(let run, _) = state {
            state = .running(run, isAskedAgain: false)
        }
        isStopping = true
        if !isReloading { state = .stopped }
    }

    private var isStopping = false

    private func begin() {
        let run = Run(began: now().monotonic, former: snapshot)
        state = .running(run, isAskedAgain: false)
        target.reloadBegan()
        target.readConfiguration { [self] result in
            switch result {
            case .success(let candidate): compare(candidate, run)
            case .failure(let refusal):
                environmentSource = refusal.environmentSource
                end(run, .refused, candidateHash: loaded.shortHash, problems: refusal.problems)
            }
        }
    }

    private func compare(_ candidate: Candidate, _ run: Run) {
        environmentSource = candidate.environmentSource
        guard !isStopping else {
            let problem = "the gateway is shutting down"
            return end(run, .refused, candidateHash: candidate.loaded.shortHash, problems: [problem])
        }
        let plan = ReloadPlan(from: loaded, to: candidate.loaded)
        guard !plan.isEmpty else { return checkSinks(candidate, run) }
        target.openDoors(candidate.loaded.settings) { [self] result in
            switch result {
            case .success(let notes):
                var candidate = candidate
                candidate.notes += notes
                adopt(candidate, plan, run)
            case .failure(let refusal): refuse(candidate, run, refusal.reason)
            }
        }
    }

    private func checkSinks(_ candidate: Candidate, _ run: Run) {
        do throws(AuditError) {
            try target.checkSinks()
        } catch {
            return end(run, .refused, candidateHash: candidate.loaded.shortHash, problems: ["\(error)"])
        }
        end(run, .unchanged, candidateHash: candidate.loaded.shortHash, notes: candidate.notes)
    }

    private func adopt(_ candidate: Candidate, _ plan: ReloadPlan, _ run: Run) {
        let next = SnapshotAssembly.snapshot(of: candidate.loaded, generation: snapshot.generation + 1)
        target.adopt(next, replacesUpstream: plan.replacesUpstream) { [self] result in
            switch result {
            case .success(let adoption):
                let notes =
                    candidate.notes + Self.notes(adoption) + sessionNotes(candidate, adoption)
                    + pidFileNote(candidate) + candidate.flags.ineffectiveEdits(from: written, to: candidate.written)
                snapshot = next
                loaded = candidate.loaded
                written = candidate.written
                target.settleDoors(isRefused: false)
                end(run, .applied, candidateHash: next.configHash, changes: plan.changes, notes: notes)
            case .failure(.audit(let error)): refuse(candidate, run, "\(error)")
            case .failure(.upstream(let reason)): refuse(candidate, run, "upstream: \(reason)")
            case .failure(.shuttingDown): refuse(candidate, run, "the gateway is shutting down")
            }
        }
    }

    private func pidFileNote(_ candidate: Candidate) -> [String] {
        guard candidate.loaded.switches.pidFile != loaded.switches.pidFile else { return [] }
        return ["ZSCALER_MCP_PID_FILE has changed: it takes effect at a restart"]
    }

    private static func notes(_ adoption: Adoption) -> [String] {
        let busy = adoption.busyOwnUpstreams
        guard busy > 0 else { return [] }
        return ["\(busy) sessions have an upstream process of their own: replaced as soon as it has nothing to do"]
    }

    /// A change of `sessions` is for new ones.
    private func sessionNotes(_ candidate: Candidate, _ adoption: Adoption) -> [String] {
        let next = candidate.loaded.settings.upstream.sessions
        guard next != loaded.settings.upstream.sessions else { return [] }
        let kept = adoption.sessionsOfTheOtherKind
        return [
            "sessions '\(next.rawValue)' applies to new sessions"
                + (kept > 0 ? "; \(kept) that are open keep the process that they have until they end" : "")
        ]
    }

    private func refuse(_ candidate: Candidate, _ run: Run, _ problem: String) {
        target.settleDoors(isRefused: true)
        end(run, .refused, candidateHash: candidate.loaded.shortHash, problems: [problem])
    }

    private func end(
        _ run: Run, _ result: ReloadOutcome.Result, candidateHash: String, changes: [String] = [],
        problems: [String] = [], notes: [String] = []
    ) {
        let now = now()
        let outcome = ReloadOutcome(
            result: result, began: run.began, time: now.wall, duration: now.monotonic - run.began,
            generation: snapshot.generation, configHash: snapshot.configHash, candidateHash: candidateHash,
            changes: changes, problems: problems, notes: notes, environmentSource: environmentSource)
        lastOutcome = outcome
        var isAskedAgain = false
        if case .running(_, let again) = state { isAskedAgain = again }
        state = isStopping ? .stopped : .idle
        target.reloadEnded(outcome, former: run.former, loaded: loaded)
        // Whoever was told may have asked for the next one, which then serves them all.
        if isAskedAgain, case .idle = state { begin() }
    }
}
