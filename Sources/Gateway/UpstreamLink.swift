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
    var isDirty = false
    /// Messages whose REQUEST records a `sync` sink is still making durable, oldest first.
    var held: [(barrier: UInt64, buffers: [ByteBuffer])] = []
    var heldBytes = 0
    /// Answers being scanned or reviewed on a worker: an exit is reported after them.
    var answersElsewhere = 0
    var afterAnswers: (() -> Void)?
    /// Sessions are not read while this is congested.
    var isCongested = false
    var isStopping = false

    init(_ gateway: Gateway, id: UpstreamID, role: UpstreamRole, reader: LineReader) {
        self.gateway = gateway
        self.id = id
        self.role = role
        self.reader = reader
    }

    /// Bytes that its process has not taken.
    var queuedBytes: Int { (process?.queuedBytes ?? 0) + heldBytes + outbox.byteCount }

    /// A process has started: nothing of the one before it may be taken for its output.
    func beginProcess(_ reader: LineReader) {
        self.reader = reader
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
        let exited = { [gateway, self] in
            gateway.exited(self, pid: pid, program: program, restart: restart, status: status, next: next)
        }
        if answersElsewhere == 0 { exited() } else { afterAnswers = exited }
    }

    func upstreamStartFailed(_ process: SupervisedUpstream, failure: StartFailure, next: RestartDecision) {
        gateway.startFailed(self, failure, next: next)
    }

    func upstreamWritability(_ process: SupervisedUpstream, queuedBytes: Int, isWritable: Bool) {
        gateway.checkCongestion(of: self)
    }

    func upstreamStopped(_ process: SupervisedUpstream) {
        gateway.stopped(self)
    }
}
