import Glibc
public import Logging
public import NIOCore

/// One logical upstream: a program that is started, watched, started again as its policy says, and ended.
///
/// Confined to one event loop, on which it is created, used and answers; it is not Sendable. The spawn thread must
/// outlive it.
public final class SupervisedUpstream {
    private enum State {
        case idle
        /// The spawn thread has been asked.
        case starting
        /// The program runs, its pipes are not channels yet.
        case opening(UpstreamProcess)
        case running(UpstreamProcess, since: Double)
        /// Until a timer fires, if there is one.
        case down(any SupervisionTimer)
        case gaveUp
        case stopped
    }

    /// As it prefixes the program's lines in the log.
    public let label: String
    /// Told what happens; not retained.
    public weak var delegate: (any SupervisedUpstreamDelegate)?

    private var plan: LaunchPlan
    /// What the process that runs, or is being started, was asked for with; ``plan`` may be newer.
    private var launched: LaunchPlan
    private var policy: RestartPolicy
    private let spawner: SpawnThread
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let clock: any SupervisionClock
    private let patience: UpstreamProcess.Patience
    private var state = State.idle
    private var starts = 0
    /// Counts the times that it was down.
    private var downs = 0
    private var isReading = true
    private var noise = StderrRelay()
    private var stopDeadline: Double?
    /// The process that runs was started by a plan of the past.
    private var isOutdated = false

    /// Prepares an upstream; starts nothing. `spawner` must have been started. `logger` gets the program's standard
    /// error at level info.
    public convenience init(
        label: String, plan: LaunchPlan, policy: RestartPolicy, spawner: SpawnThread, eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.init(
            label: label, plan: plan, policy: policy, spawner: spawner, eventLoop: eventLoop, logger: logger,
            clock: EventLoopClock(eventLoop))
    }

    init(
        label: String, plan: LaunchPlan, policy: RestartPolicy, spawner: SpawnThread, eventLoop: any EventLoop,
        logger: Logger, clock: any SupervisionClock, patience: UpstreamProcess.Patience = .init()
    ) {
        self.label = label
        self.plan = plan
        launched = plan
        self.policy = policy
        self.spawner = spawner
        self.eventLoop = eventLoop
        self.logger = logger
        self.clock = clock
        self.patience = patience
    }

    // MARK: Life

    /// Starts the program, once. The outcome comes to the delegate, in a later loop turn.
    public func start() {
        eventLoop.assertInEventLoop()
        guard case .idle = state, stopDeadline == nil else { preconditionFailure("an upstream is started once") }
        launch()
    }

    /// Starts it at once if it is down, with a clean record; else does nothing. For a reload or an operator.
    public func retryNow() {
        eventLoop.assertInEventLoop()
        switch state {
        case .down(let timer):
            timer.cancel()
            policy.reset()
            launch()
        case .gaveUp:
            policy.reset()
            launch()
        case .idle, .starting, .opening, .running, .stopped:
            return
        }
    }

    /// Ends the program within `grace` seconds and never starts it again: end of input, SIGTERM after at most 2 s,
    /// SIGKILL after four fifths of the grace, each to the whole process group. A second call can only shorten it.
    ///
    /// A process that left the group (setsid) is out of reach: it only sees its pipes close.
    public func stop(grace: Double) {
        eventLoop.assertInEventLoop()
        if case .stopped = state { return }
        let deadline = clock.now + max(0, grace)
        stopDeadline = min(stopDeadline ?? deadline, deadline)
        switch state {
        case .running(let process, _):
            process.end(grace: grace)
        case .down(let timer):
            timer.cancel()
            finish()
        case .idle, .gaveUp:
            finish()
        case .starting, .opening, .stopped:
            // The spawn thread's answer ends it.
            return
        }
    }

    /// Ends the running process within `grace` seconds; what follows is the policy's to say. For one that does not speak
    /// the protocol.
    public func recycle(grace: Double) {
        eventLoop.assertInEventLoop()
        if case .running(let process, _) = state { process.end(grace: grace) }
    }

    /// Starts the program anew by `plan`: a running process is ended within `grace` seconds and followed at once, what is
    /// down is tried at once. The restart policy does not count it.
    public func relaunch(_ plan: LaunchPlan, grace: Double) {
        eventLoop.assertInEventLoop()
        self.plan = plan
        switch state {
        case .running(let process, _):
            isOutdated = true
            process.end(grace: grace)
        case .starting, .opening:
            isOutdated = true
        case .down, .gaveUp:
            retryNow()
        case .idle, .stopped:
            return
        }
    }

    /// Takes over other restart rules; failures that were counted stay counted.
    public func adopt(_ policy: RestartPolicy) {
        eventLoop.assertInEventLoop()
        self.policy = self.policy.succeeded(by: policy)
    }

    private func launch() {
        state = .starting
        launched = plan
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let request = SpawnRequest(
            plan: plan, eventLoop: eventLoop,
            started: { result in bound.value.spawned(result) },
            ended: { status in bound.value.leaderEnded(status) })
        if !spawner.submit(.spawn(request)) {
            eventLoop.execute { bound.value.spawned(.failure(StartFailure(bound.value.launched, stage: .spawnThread))) }
        }
    }

    private func spawned(_ result: Result<SpawnedProcess, StartFailure>) {
        switch result {
        case .success(let spawned):
            let process = UpstreamProcess(
                pid: spawned.pid, label: label, spawner: spawner, eventLoop: eventLoop, logger: logger,
                patience: patience, owner: self)
            state = .opening(process)
            process.open(spawned).assumeIsolated().whenComplete { [self] in opened(process, $0) }
        case .failure(let failure):
            startFailed(failure)
        }
    }

    private func opened(_ process: UpstreamProcess, _ result: Result<Void, any Error>) {
        if case .failure(let error) = result {
            process.discard()
            return startFailed(StartFailure(launched, stage: .resources, errno: (error as? IOError)?.errnoCode ?? EIO))
        }
        state = .running(process, since: clock.now)
        starts += 1
        delegate?.upstreamStarted(self, pid: process.pid, program: launched.program, restart: starts - 1)
        process.begin(reading: isReading)
        if let stopDeadline {
            process.end(grace: stopDeadline - clock.now)
        } else if isOutdated {
            process.end(grace: 2)
        }
    }

    private func leaderEnded(_ status: ExitStatus) {
        switch state {
        case .opening(let process), .running(let process, _): process.leaderEnded(status)
        case .idle, .starting, .down, .gaveUp, .stopped: return
        }
    }

    private func startFailed(_ failure: StartFailure) {
        if stopDeadline != nil { return finish() }
        if isOutdated {
            isOutdated = false
            return launch()
        }
        let next = policy.ended(afterUptime: 0)
        follow(next)
        delegate?.upstreamStartFailed(self, failure: failure, next: next)
    }

    private func follow(_ decision: RestartDecision) {
        switch decision {
        case .restart(let pause, _), .gaveUp(.some(let pause)):
            downs += 1
            let down = downs
            state = .down(clock.schedule(after: pause) { [weak self] in self?.wake(down) })
        case .gaveUp(nil):
            state = .gaveUp
        case .stopped:
            finish()
        }
    }

    /// A loop that has taken a timer's task up runs it in spite of ``SupervisionTimer/cancel()``: without this, whoever
    /// retried in the same turn would have started two processes.
    private func wake(_ down: Int) {
        guard down == downs, case .down = state else { return }
        launch()
    }

    /// In a later turn, so that nobody is called back out of ``stop(grace:)``.
    private func finish() {
        state = .stopped
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.delegate?.upstreamStopped(bound.value) }
    }

    // MARK: Traffic

    /// Queues bytes for the program's standard input; ``flush()`` sends them. Dropped when no program runs, or when it
    /// has closed its standard input: that is for the owner to know from the delegate's calls.
    public func write(_ buffer: ByteBuffer) {
        eventLoop.assertInEventLoop()
        if case .running(let process, _) = state { process.write(buffer) }
    }

    /// Hands what was queued to the pipe, as far as it takes it; the rest follows by itself.
    public func flush() {
        if case .running(let process, _) = state { process.flush() }
    }

    /// Bytes that were written and not yet taken by the pipe, flushed or not.
    public var queuedBytes: Int {
        if case .running(let process, _) = state { return process.queuedBytes }
        return 0
    }

    /// Shows a line of its standard output that is no protocol where its standard error goes, under the same caps.
    public func relay(stdoutLine line: ByteBuffer) {
        eventLoop.assertInEventLoop()
        let emit = { [logger, label] (text: String) in logger.info("[upstream \(label)] \(text)") }
        noise.receive(line.readableBytesView, now: clock.now, emit: emit)
        noise.receive(CollectionOfOne(UInt8(ascii: "\n")), now: clock.now, emit: emit)
    }

    /// Leaves its output in the pipe, which makes the program wait once that is full (64 KiB). Holds over restarts.
    public func pauseReading() { setReading(false) }

    /// Takes its output again.
    public func resumeReading() { setReading(true) }

    private func setReading(_ reading: Bool) {
        eventLoop.assertInEventLoop()
        guard isReading != reading else { return }
        isReading = reading
        if case .running(let process, _) = state { process.setReading(reading) }
    }
}

extension SupervisedUpstream {
    private func decision(afterUptime uptime: Double) -> RestartDecision {
        guard stopDeadline == nil else { return .stopped }
        guard isOutdated else { return policy.ended(afterUptime: uptime) }
        isOutdated = false
        policy.reset()
        return .restart(after: 0, attempt: 0)
    }
}

extension SupervisedUpstream: UpstreamProcessOwner {
    func process(_ process: UpstreamProcess, received bytes: ByteBuffer) {
        delegate?.upstream(self, received: bytes)
    }

    func processReadCompleted(_ process: UpstreamProcess) { delegate?.upstreamReadCompleted(self) }

    func process(_ process: UpstreamProcess, isWritable: Bool, queuedBytes: Int) {
        delegate?.upstreamWritability(self, queuedBytes: queuedBytes, isWritable: isWritable)
    }

    func process(_ process: UpstreamProcess, ended status: ExitStatus) {
        guard case .running(_, let since) = state else { return }
        let next = decision(afterUptime: clock.now - since)
        // Entered before the delegate hears of it, so that it may stop or retry from within the call.
        if next != .stopped { follow(next) } else { state = .idle }
        delegate?.upstreamExited(
            self, pid: process.pid, program: launched.program, restart: starts - 1, status: status, next: next)
        if next == .stopped, case .idle = state { finish() }
    }
}
