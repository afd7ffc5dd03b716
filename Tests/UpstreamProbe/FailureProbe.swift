import Glibc
import Logging
import NIOCore
import Upstream

/// Tries again and again what cannot work. Loop-confined.
final class FailureProbe: SupervisedUpstreamDelegate {
    private let ended: EventLoopPromise<Void>
    private var failures = 0
    private var descriptorsBefore = 0

    /// Returns after the last failure.
    static func run(
        program: String, directory: String, spawner: SpawnThread, on eventLoop: any EventLoop, logger: Logger
    ) throws {
        let ended = eventLoop.makePromise(of: Void.self)
        let kept = try eventLoop.submit {
            let probe = FailureProbe(ended: ended)
            let upstream = SupervisedUpstream(
                label: "failing",
                plan: LaunchPlan(program: program, arguments: [], environment: [:], workingDirectory: directory),
                policy: .daemon(), spawner: spawner, eventLoop: eventLoop, logger: logger)
            upstream.delegate = probe
            upstream.start()
            return NIOLoopBound((probe, upstream), eventLoop: eventLoop)
        }.wait()
        try ended.futureResult.wait()
        withExtendedLifetime(kept) {}
    }

    init(ended: EventLoopPromise<Void>) { self.ended = ended }

    func upstreamStarted(_ upstream: SupervisedUpstream, pid: Int32, program: String, restart: Int) {
        fatalError("it started")
    }

    func upstreamStartFailed(_ upstream: SupervisedUpstream, failure: StartFailure, next: RestartDecision) {
        // The first one makes what is made once.
        if failures == 0 { descriptorsBefore = descriptors() }
        failures += 1
        guard failures == 50 else { return upstream.retryNow() }
        let left = descriptors() - descriptorsBefore
        print("failed \(failures) times, descriptors left \(left), children left \(children())")
        fflush(nil)
        ended.succeed()
    }

    func upstream(_ upstream: SupervisedUpstream, received bytes: ByteBuffer) {}

    func upstreamReadCompleted(_ upstream: SupervisedUpstream) {}

    func upstreamExited(
        _ upstream: SupervisedUpstream, pid: Int32, program: String, restart: Int, status: ExitStatus,
        next: RestartDecision
    ) {}

    func upstreamWritability(_ upstream: SupervisedUpstream, queuedBytes: Int, isWritable: Bool) {}

    func upstreamStopped(_ upstream: SupervisedUpstream) {}

    private func descriptors() -> Int {
        (0..<1024).count { fcntl($0, F_GETFD) >= 0 }
    }

    /// Also those that are not reaped; the watcher is one.
    private func children() -> Int {
        var count = 0
        guard let tasks = opendir("/proc/self/task") else { return -1 }
        defer { closedir(tasks) }
        while let entry = readdir(tasks) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let file = fopen("/proc/self/task/\(name)/children", "r") else { continue }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 4096)
            count += bytes[..<fread(&bytes, 1, bytes.count, file)].split(separator: UInt8(ascii: " ")).count
        }
        return count
    }
}
