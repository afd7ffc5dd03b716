internal import JSONRPCWire
internal import MCPRouting
internal import NIOCore
internal import Upstream

/// One upstream as the gateway sees it: its supervised process, what is to be sent to it, and what waits for a disk.
final class UpstreamLink {
    private unowned let gateway: Gateway
    let id: UpstreamID
    let role: UpstreamRole
    var process: SupervisedUpstream?
    var reader: LineReader
    var outbox = Outbox()
    /// What ``outbox`` holds, for metrics.
    var measured = HeldMessages()
    var isDirty = false
    /// Messages whose REQUEST records a `sync` sink is still making durable, oldest first.
    var held: [(barrier: UInt64, buffers: [ByteBuffer], measured: HeldMessages)] = []
    var heldBytes = 0
    /// Answers being scanned or reviewed on a worker: an exit is reported after them.
    private var answersElsewhere = 0
    private var afterAnswers: [() -> Void] = []
    /// Counts processes: what a worker still does for an earlier one is of no use any more.
    private(set) var epoch = 0
    /// Sessions are not read while this is congested.
    var isCongested = false
    /// The process that runs, and how many there were before it.
    var pid: Int32?
    var restarts = 0

    init(_ gateway: Gateway, id: UpstreamID, role: UpstreamRole, reader: LineReader) {
        self.gateway = gateway
        self.id = id
        self.role = role
        self.reader = reader
    }

    /// Bytes that its process has not taken.
    var queuedBytes: Int { (process?.queuedBytes ?? 0) + heldBytes + outbox.byteCount }

    /// A process has started. Nothing of the one before it may be taken for its output, and nothing that was meant for
    /// the one before may reach it: those calls have been answered as failed.
    func beginProcess(_ reader: LineReader) {
        epoch += 1
        answersElsewhere = 0
        runAfterAnswers()
        self.reader = reader
        outbox = Outbox()
        measured = HeldMessages()
        held = []
        heldBytes = 0
    }

    /// A worker takes an answer; its end is told with ``answerCameBack(of:)``.
    func answerWentElsewhere() {
        answersElsewhere += 1
    }

    /// The worker is done with an answer of the process of that epoch.
    func answerCameBack(of epoch: Int) {
        guard epoch == self.epoch else { return }
        answersElsewhere -= 1
        if answersElsewhere == 0 { runAfterAnswers() }
    }

    /// Runs `body` when every answer read so far has come back from the workers.
    private func afterAnswers(_ body: @escaping () -> Void) {
        afterAnswers.append(body)
        if answersElsewhere == 0 { runAfterAnswers() }
    }

    private func runAfterAnswers() {
        let waiting = afterAnswers
        afterAnswers = []
        for body in waiting { body() }
    }

    func write(_ buffers: [ByteBuffer]) {
        guard let process else { return }
        for buffer in buffers { process.write(buffer) }
        process.flush()
    }
}

/// What the supervised process reports, on the loop.
extension UpstreamLink: SupervisedUpstreamDelegate {
    func upstreamStarted(_ process: SupervisedUpstream, pid: Int32, program: String, restart: Int) {
        gateway.started(self, pid: pid, program: program, restart: restart)
    }

    func upstream(_ process: SupervisedUpstream, received bytes: ByteBuffer) {
        reader.append(bytes)
        gateway.read(self)
    }

    /// Routing performs after each chunk; there is nothing to gather.
    func upstreamReadCompleted(_ process: SupervisedUpstream) {}

    func upstreamExited(
        _ process: SupervisedUpstream, pid: Int32, program: String, restart: Int, status: ExitStatus,
        next: RestartDecision
    ) {
        reader.end()
        gateway.read(self)
        // An exit is told after the answers that were read before it.
        afterAnswers { [gateway, self] in
            gateway.exited(self, pid: pid, program: program, restart: restart, status: status, next: next)
        }
    }

    func upstreamStartFailed(_ process: SupervisedUpstream, failure: StartFailure, next: RestartDecision) {
        gateway.startFailed(self, failure, next: next)
    }

    func upstreamWritability(_ process: SupervisedUpstream, queuedBytes: Int, isWritable: Bool) {
        gateway.checkCongestion(of: self)
    }

    func upstreamStopped(_ process: SupervisedUpstream) {
        afterAnswers { [gateway, self] in gateway.stopped(self) }
    }
}
