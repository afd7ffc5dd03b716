import Glibc
import Logging
import NIOCore
import Upstream

/// Passes on what its upstream says. Loop-confined.
final class Probe: SupervisedUpstreamDelegate {
    private let ended: EventLoopPromise<Void>
    private let eventLoop: any EventLoop
    private let watches: Bool
    private var output = ""

    /// Returns when the script has ended and, if `watches`, every process that it named is gone.
    static func run(
        script: String, watches: Bool, spawner: SpawnThread, on eventLoop: any EventLoop, logger: Logger
    ) throws {
        let ended = eventLoop.makePromise(of: Void.self)
        let kept = try eventLoop.submit {
            let probe = Probe(ended: ended, eventLoop: eventLoop, watches: watches)
            let upstream = SupervisedUpstream(
                label: "script",
                plan: LaunchPlan(
                    program: "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"],
                    workingDirectory: "/"),
                policy: .never, spawner: spawner, eventLoop: eventLoop, logger: logger)
            upstream.delegate = probe
            upstream.start()
            return NIOLoopBound((probe, upstream), eventLoop: eventLoop)
        }.wait()
        try ended.futureResult.wait()
        withExtendedLifetime(kept) {}
    }

    init(ended: EventLoopPromise<Void>, eventLoop: any EventLoop, watches: Bool) {
        self.ended = ended
        self.eventLoop = eventLoop
        self.watches = watches
    }

    func upstreamStarted(_ upstream: SupervisedUpstream, pid: Int32, program: String, restart: Int) {}

    func upstream(_ upstream: SupervisedUpstream, received bytes: ByteBuffer) {
        output += String(buffer: bytes)
        say(String(buffer: bytes))
    }

    func upstreamReadCompleted(_ upstream: SupervisedUpstream) {}

    func upstreamWritability(_ upstream: SupervisedUpstream, queuedBytes: Int, isWritable: Bool) {}

    func upstreamExited(
        _ upstream: SupervisedUpstream, pid: Int32, program: String, restart: Int, status: ExitStatus,
        next: RestartDecision
    ) {
        say("ended \(status)\n")
        guard watches else { return ended.succeed() }
        watch(output.split(separator: "\n").compactMap { Int32($0) })
    }

    func upstreamStartFailed(_ upstream: SupervisedUpstream, failure: StartFailure, next: RestartDecision) {
        ended.fail(failure)
    }

    func upstreamStopped(_ upstream: SupervisedUpstream) {}

    private func watch(_ pids: [Int32]) {
        let left = pids.filter { pid in
            // A zombie can still be signalled; only one that was reaped is gone.
            if kill(pid, 0) == 0 { return true }
            say("reaped \(pid)\n")
            return false
        }
        if left.isEmpty { return ended.succeed() }
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { self.watch(left) }
    }

    private func say(_ text: String) {
        _ = write(1, text, text.utf8.count)
    }
}
