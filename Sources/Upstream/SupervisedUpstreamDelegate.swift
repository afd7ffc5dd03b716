public import NIOCore

/// Whoever uses an upstream. Every call comes on the upstream's event loop.
///
/// Order: ``upstreamStarted(_:pid:program:restart:)``, then output and writability, then
/// ``upstreamExited(_:pid:program:restart:status:next:)`` after the last byte of output; then, unless it was the end,
/// another start or ``upstreamStartFailed(_:failure:next:)``. ``upstreamStopped(_:)`` is the last call of all.
public protocol SupervisedUpstreamDelegate: AnyObject {
    /// The program runs; writes are accepted from now on. `restart` counts the starts that succeeded before this one.
    func upstreamStarted(_ upstream: SupervisedUpstream, pid: Int32, program: String, restart: Int)

    /// Bytes of its standard output, in order, cut anywhere. Untrusted.
    func upstream(_ upstream: SupervisedUpstream, received bytes: ByteBuffer)

    /// What one loop turn brought has been handed over.
    func upstreamReadCompleted(_ upstream: SupervisedUpstream)

    /// The process ended, whether by itself or because it was stopped, its group was killed, and all of its output has
    /// been handed over; writes are dropped from now on. `next` is ``RestartDecision/stopped`` after
    /// ``SupervisedUpstream/stop(grace:)``.
    func upstreamExited(
        _ upstream: SupervisedUpstream, pid: Int32, program: String, restart: Int, status: ExitStatus,
        next: RestartDecision)

    /// Nothing was started.
    func upstreamStartFailed(_ upstream: SupervisedUpstream, failure: StartFailure, next: RestartDecision)

    /// More than 1 MiB waits for its standard input to take it (`isWritable` false), or less than 512 KiB again.
    func upstreamWritability(_ upstream: SupervisedUpstream, queuedBytes: Int, isWritable: Bool)

    /// After ``SupervisedUpstream/stop(grace:)``: nothing of it runs, and nothing will.
    func upstreamStopped(_ upstream: SupervisedUpstream)
}
