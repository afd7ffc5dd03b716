import Glibc
import Logging
import NIOCore
import NIOPosix

/// Whoever owns one run of a program. Called on its loop.
protocol UpstreamProcessOwner: AnyObject {
    func process(_ process: UpstreamProcess, received bytes: ByteBuffer)
    func processReadCompleted(_ process: UpstreamProcess)
    func process(_ process: UpstreamProcess, isWritable: Bool, queuedBytes: Int)
    /// Once, last: the group has been killed, the leader reaped, the output handed over.
    func process(_ process: UpstreamProcess, ended status: ExitStatus)
}

/// One run of an upstream's program: its three pipes and its end. Loop-confined.
///
/// The end has four parts that arrive in any order: the leader's exit, its reaping together with the rest of the
/// group, and the end of its two output streams. The last one completes it. A descendant that left the group can keep
/// the streams open for ever, so they get ``Patience/drain`` after the reaping.
final class UpstreamProcess {
    /// How long it is waited for things that need not happen, in seconds.
    struct Patience {
        /// Output may still arrive that long once the group is gone.
        var drain = 2.0
        /// A process may live that long after it has closed its standard output.
        var silent = 1.0
        /// And that long after it has closed its standard input, since answers may still come.
        var deaf = 10.0
        /// In that time such a process is ended.
        var useless = 2.0
        /// From the end of the input to SIGTERM, at most.
        var input = 2.0
    }

    let pid: pid_t
    private let label: String
    private let spawner: SpawnThread
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let patience: Patience
    // Strong: an owner may drop us in its last callback only, and that clears this.
    private var owner: (any UpstreamProcessOwner)?

    private var stdin: StdinPipe?
    private var stdout: StdoutPipe?
    private var stderr: StderrPipe?
    private var begun = false
    private var exit: ExitStatus?
    private var releasing = false
    private var released = false
    private var deadline: NIODeadline?
    private var timers: [Scheduled<Void>] = []
    private var drainTimer: Scheduled<Void>?

    init(
        pid: pid_t, label: String, spawner: SpawnThread, eventLoop: any EventLoop, logger: Logger,
        patience: Patience, owner: any UpstreamProcessOwner
    ) {
        self.pid = pid
        self.label = label
        self.spawner = spawner
        self.eventLoop = eventLoop
        self.logger = logger
        self.patience = patience
        self.owner = owner
    }

    // MARK: Pipes

    /// Takes the three descriptors, whatever happens, and completes on the loop once they are channels. Nothing is
    /// read before ``begin(reading:)``.
    func open(_ spawned: SpawnedProcess) -> EventLoopFuture<Void> {
        let stdin = StdinPipe(self)
        let stdout = StdoutPipe(self)
        let stderr = StderrPipe(self, label: label, logger: logger)
        let opened = [
            adopt(spawned.stdin, stdin) { $0.takingOwnershipOfDescriptor(output: spawned.stdin) },
            adopt(spawned.stdout, stdout) { $0.takingOwnershipOfDescriptor(input: spawned.stdout) },
            adopt(spawned.stderr, stderr) { $0.takingOwnershipOfDescriptor(input: spawned.stderr) },
        ]
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        return EventLoopFuture.andAllSucceed(opened, on: eventLoop)
    }

    private func adopt(
        _ descriptor: CInt, _ handler: some ChannelInboundHandler,
        _ take: (NIOPipeBootstrap) -> EventLoopFuture<any Channel>
    ) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(handler, eventLoop: eventLoop)
        let bootstrap = NIOPipeBootstrap(group: eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .channelOption(.writeBufferWaterMark, value: StdinPipe.watermark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
        return take(bootstrap).map { _ in }.flatMapErrorThrowing { error in
            close(descriptor)
            throw error
        }
    }

    func setReading(_ reading: Bool) { stdout?.setReading(reading) }

    /// From here on the owner is called. Standard error is never paused.
    func begin(reading: Bool) {
        begun = true
        setReading(reading || exit != nil)
        stderr?.startReading()
        completeIfDone()
    }

    var queuedBytes: Int { stdin?.queuedBytes ?? 0 }

    func write(_ buffer: ByteBuffer) { stdin?.write(buffer) }

    func flush() { stdin?.flush() }

    func received(_ bytes: ByteBuffer) { owner?.process(self, received: bytes) }

    func readCompleted() { owner?.processReadCompleted(self) }

    func stdinWritability(isWritable: Bool, queuedBytes: Int) {
        owner?.process(self, isWritable: isWritable, queuedBytes: queuedBytes)
    }

    func stdinClosed() {
        stdin = nil
        guard exit == nil, deadline == nil else { return }
        // Nearly always because it has ended, of which the spawn thread's word is on its way.
        timers.append(after(patience.deaf) { $0.endUseless("standard input") })
    }

    func stdoutClosed() {
        stdout = nil
        if exit != nil {
            release()
        } else if deadline == nil {
            timers.append(after(patience.silent) { $0.endUseless("standard output") })
        }
        completeIfDone()
    }

    func stderrClosed() {
        stderr = nil
        completeIfDone()
    }

    /// For a process that never became one of ours: its pipes could not be opened.
    func discard() {
        owner = nil
        closePipes()
        _ = spawner.submit(.signal(group: pid, SIGKILL))
        _ = spawner.submit(.release(group: pid) {})
    }

    // MARK: The end

    /// The group's leader has ended.
    func leaderEnded(_ status: ExitStatus) {
        exit = status
        // What is in the pipe is bounded; a reader that is held back must not hold back the end.
        setReading(true)
        // In a wanted end, others of the group that still hold the output may have something to finish.
        if deadline == nil || stdout == nil { release() }
        completeIfDone()
    }

    /// Ends the process within `grace` seconds: end of input, SIGTERM to the group, SIGKILL to the group. A later
    /// call can only make it shorter.
    func end(grace: Double) {
        let total = max(0, grace)
        let deadline = eventLoop.now + .seconds(fraction: total)
        if let earlier = self.deadline, earlier <= deadline { return }
        self.deadline = deadline
        cancelTimers()
        stdin?.finish()
        timers = [
            after(min(patience.input, total * 0.4)) { $0.terminate() },
            after(total * 0.8) { $0.kill() },
            // The kernel needs a moment to end a killed process, even when no time was given.
            after(max(total, total * 0.8 + 0.5)) { $0.abandon() },
        ]
        if exit != nil, stdout == nil { release() }
    }

    private func terminate() {
        _ = spawner.submit(.signal(group: pid, SIGTERM))
        // A stopped process takes SIGTERM only once it continues.
        _ = spawner.submit(.signal(group: pid, SIGCONT))
    }

    private func kill() {
        if exit == nil {
            logger.warning("[upstream \(label)] process \(pid) did not end in time; its group is killed")
            _ = spawner.submit(.signal(group: pid, SIGKILL))
        }
        release()
    }

    /// Not even SIGKILL ended it: it is stuck in the kernel. The spawn thread reaps it if it ever comes back.
    private func abandon() {
        if exit == nil {
            logger.error("[upstream \(label)] process \(pid) did not end after SIGKILL; it is no longer waited for")
        }
        exit = exit ?? .signalled(signal: SIGKILL)
        release()
        released = true
        closePipes()
        completeIfDone()
    }

    private func endUseless(_ closed: String) {
        guard exit == nil, deadline == nil else { return }
        logger.warning("[upstream \(label)] process \(pid) closed its \(closed) but lives on; it is ended")
        end(grace: patience.useless)
    }

    /// Kills what is left of the group once the leader has ended, and reaps the leader.
    private func release() {
        guard !releasing else { return }
        releasing = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let accepted = spawner.submit(.release(group: pid) { bound.value.leaderReaped() })
        // Without a spawn thread there is nobody to reap, and nothing that could still be running.
        if !accepted { leaderReaped() }
    }

    private func leaderReaped() {
        released = true
        if stdout != nil || stderr != nil {
            drainTimer = after(patience.drain) { $0.closePipes() }
        }
        completeIfDone()
    }

    private func closePipes() {
        stdin?.close()
        stdout?.close()
        stderr?.close()
    }

    private func completeIfDone() {
        guard begun, let exit, released, stdout == nil, stderr == nil, let owner else { return }
        self.owner = nil
        cancelTimers()
        drainTimer?.cancel()
        stdin?.close()
        owner.process(self, ended: exit)
    }

    private func cancelTimers() {
        for timer in timers { timer.cancel() }
        timers = []
    }

    private func after(_ seconds: Double, _ body: @escaping (UpstreamProcess) -> Void) -> Scheduled<Void> {
        eventLoop.assumeIsolated().scheduleTask(in: .seconds(fraction: seconds)) { body(self) }
    }
}
