import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Upstream

/// A loop, a spawn thread and the upstreams made with them; all of it is gone when the body returns.
struct Rig: Sendable {
    let eventLoop: any EventLoop
    let spawner: SpawnThread
    let log = CapturedLog()

    static func run<R: Sendable>(
        lookup: ProgramLookup = ProgramLookup(), _ body: @Sendable (Rig) async throws -> R
    ) async throws -> R {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let spawner = SpawnThread(
            reapsForeignProcesses: false, lookup: lookup,
            logger: Logger(label: "spawner") { _ in SwiftLogNoOpLogHandler() })
        try spawner.start()
        let result: Result<R, any Error>
        do {
            result = .success(try await body(Rig(eventLoop: group.next(), spawner: spawner)))
        } catch {
            result = .failure(error)
        }
        // What a failed test left running is killed here.
        spawner.shutdown()
        try await group.shutdownGracefully()
        return try result.get()
    }

    /// An upstream that has not been started, and what happens to it.
    func upstream(
        _ plan: LaunchPlan, policy: RestartPolicy = .never, clock: HandClock? = nil,
        patience: UpstreamProcess.Patience = .init()
    ) async throws -> Subject {
        try await eventLoop.submit { [self] in
            let upstream = SupervisedUpstream(
                label: "test", plan: plan, policy: policy, spawner: spawner, eventLoop: eventLoop,
                logger: Logger(label: "test") { _ in log }, clock: clock ?? EventLoopClock(eventLoop),
                patience: patience)
            let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
            let programs = NameLog()
            let recorder = Recorder(continuation, programs)
            upstream.delegate = recorder
            return Subject(
                bound: NIOLoopBound((upstream, recorder), eventLoop: eventLoop), eventLoop: eventLoop,
                iterator: stream.makeAsyncIterator(), programs: programs)
        }.get()
    }

    /// A started upstream that runs `sh -c script`, and its process.
    func shell(
        _ script: String, _ arguments: String..., patience: UpstreamProcess.Patience = .init()
    ) async throws -> (Subject, pid: Int32) {
        let subject = try await upstream(.shell(script, arguments), patience: patience)
        try await subject.perform { $0.start() }
        return (subject, try await subject.started())
    }

    /// A started gateway in miniature, and its process.
    func probe(_ arguments: [String]) async throws -> (Subject, pid: Int32) {
        let plan = LaunchPlan(
            program: try Rig.probePath(), arguments: arguments, environment: [:], workingDirectory: "/")
        let subject = try await upstream(plan)
        try await subject.perform { $0.start() }
        return (subject, try await subject.started())
    }

    /// It is built beside the tests.
    static func probePath() throws -> String {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &bytes, bytes.count)
        let own = String(decoding: bytes[..<max(0, count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
        let path = own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/upstream-probe"
        try #require(access(path, X_OK) == 0, "\(path)")
        return path
    }
}

extension UpstreamProcess.Patience {
    /// SIGTERM soon, so that a long grace makes a test robust and not slow.
    static var quick: Self {
        var patience = Self()
        patience.input = 0.05
        return patience
    }
}

extension LaunchPlan {
    static func shell(_ script: String, _ arguments: [String] = []) -> LaunchPlan {
        LaunchPlan(
            program: "/bin/sh", arguments: ["-c", script, "sh"] + arguments, environment: ["PATH": "/usr/bin:/bin"],
            workingDirectory: "/")
    }
}

/// A call that the delegate got.
enum Event: Sendable, Equatable {
    case started(pid: Int32, restart: Int)
    case bytes([UInt8])
    case exited(restart: Int, Upstream.ExitStatus, RestartDecision)
    case startFailed(StartFailure, RestartDecision)
    case writability(Bool, atLeast: Int)
    case stopped
}

private final class Recorder: SupervisedUpstreamDelegate {
    private let continuation: AsyncStream<Event>.Continuation
    private let programs: NameLog

    init(_ continuation: AsyncStream<Event>.Continuation, _ programs: NameLog) {
        self.continuation = continuation
        self.programs = programs
    }

    func upstreamStarted(_ upstream: SupervisedUpstream, pid: Int32, program: String, restart: Int) {
        programs.append("started \(program)")
        continuation.yield(.started(pid: pid, restart: restart))
    }

    func upstream(_ upstream: SupervisedUpstream, received bytes: ByteBuffer) {
        continuation.yield(.bytes(Array(bytes.readableBytesView)))
    }

    func upstreamReadCompleted(_ upstream: SupervisedUpstream) {}

    func upstreamExited(
        _ upstream: SupervisedUpstream, pid: Int32, program: String, restart: Int, status: Upstream.ExitStatus,
        next: RestartDecision
    ) {
        programs.append("exited \(program)")
        continuation.yield(.exited(restart: restart, status, next))
    }

    func upstreamStartFailed(_ upstream: SupervisedUpstream, failure: StartFailure, next: RestartDecision) {
        continuation.yield(.startFailed(failure, next))
    }

    func upstreamWritability(_ upstream: SupervisedUpstream, queuedBytes: Int, isWritable: Bool) {
        continuation.yield(.writability(isWritable, atLeast: queuedBytes))
    }

    func upstreamStopped(_ upstream: SupervisedUpstream) { continuation.yield(.stopped) }
}

/// An upstream under test, and its calls in order. One test task uses it.
final class Subject: @unchecked Sendable {  // The iterator is used by the one task of its test only.
    // The type is private, hence the erasure.
    private let bound: NIOLoopBound<(SupervisedUpstream, any SupervisedUpstreamDelegate)>
    private let eventLoop: any EventLoop
    private var iterator: AsyncStream<Event>.Iterator
    private var unread: [UInt8] = []
    /// The programs that were started and that exited, as the delegate was told.
    let programs: NameLog

    fileprivate init(
        bound: NIOLoopBound<(SupervisedUpstream, Recorder)>, eventLoop: any EventLoop,
        iterator: AsyncStream<Event>.Iterator, programs: NameLog
    ) {
        self.programs = programs
        self.bound = NIOLoopBound((bound.value.0, bound.value.1), eventLoop: eventLoop)
        self.eventLoop = eventLoop
        self.iterator = iterator
    }

    func perform<R: Sendable>(_ body: @escaping @Sendable (SupervisedUpstream) -> R) async throws -> R {
        try await eventLoop.submit { [bound] in body(bound.value.0) }.get()
    }

    func send(_ text: String) async throws {
        try await perform { upstream in
            upstream.write(ByteBuffer(string: text))
            upstream.flush()
        }
    }

    func next() async throws -> Event { try #require(await iterator.next(isolation: nil)) }

    func started(restart: Int = 0) async throws -> Int32 {
        let event = try await next()
        guard case .started(let pid, restart) = event else { throw Unexpected(event: event) }
        return pid
    }

    /// The next whole line of output.
    func line() async throws -> String {
        while true {
            if let end = unread.firstIndex(of: 10) {
                defer { unread.removeSubrange(...end) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            let event = try await next()
            guard case .bytes(let bytes) = event else { throw Unexpected(event: event) }
            unread += bytes
        }
    }

    /// All output until the process exits, and how it did.
    func exited() async throws -> (output: [UInt8], status: Upstream.ExitStatus, next: RestartDecision) {
        while true {
            let event = try await next()
            switch event {
            case .bytes(let bytes): unread += bytes
            case .writability: continue
            case .exited(_, let status, let next):
                defer { unread = [] }
                return (unread, status, next)
            default: throw Unexpected(event: event)
            }
        }
    }

    /// Stops it and sees it stopped; how it ended.
    @discardableResult
    func stop(grace: Double) async throws -> Upstream.ExitStatus {
        try await perform { $0.stop(grace: grace) }
        let (_, status, next) = try await exited()
        #expect(next == .stopped)
        #expect(try await self.next() == .stopped)
        return status
    }
}

/// Names in the order in which they came.
final class NameLog: Sendable {
    private let names = Mutex<[String]>([])
    var all: [String] { names.withLock { $0 } }
    func append(_ name: String) { names.withLock { $0.append(name) } }
}

struct Unexpected: Error {
    let event: Event
}

/// What was logged, as text.
struct CapturedLog: LogHandler {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private let lines = Lines()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    var texts: [String] { lines.all.withLock { $0 } }

    func log(event: LogEvent) {
        lines.all.withLock { $0.append("\(event.level): \(event.message)") }
    }
}

/// A clock that a test moves by hand. Used on the loop of its upstream.
final class HandClock: SupervisionClock, @unchecked Sendable {  // Confined to the loop, as its protocol demands.
    final class Timer: SupervisionTimer {
        let seconds: Double
        let body: () -> Void
        var isCancelled = false

        init(_ seconds: Double, _ body: @escaping () -> Void) {
            self.seconds = seconds
            self.body = body
        }

        func cancel() { isCancelled = true }
    }

    var now = 1000.0
    private var timers: [Timer] = []

    func schedule(after seconds: Double, _ body: @escaping () -> Void) -> any SupervisionTimer {
        let timer = Timer(seconds, body)
        timers.append(timer)
        return timer
    }

    /// What is due, in seconds.
    var pending: [Double] { timers.filter { !$0.isCancelled }.map(\.seconds) }

    /// Lets the next timer happen.
    func fire() {
        guard let index = timers.firstIndex(where: { !$0.isCancelled }) else { return }
        let timer = timers.remove(at: index)
        now += timer.seconds
        timer.body()
    }
}

/// Whether a process is gone or only waits to be reaped by whoever adopted it.
func isGone(_ pid: Int32) -> Bool {
    guard let file = fopen("/proc/\(pid)/stat", "r") else { return true }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = fread(&bytes, 1, bytes.count, file)
    // The state follows the name, which is in parentheses and may hold anything.
    guard let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")), end + 2 < count else { return true }
    return bytes[end + 2] == UInt8(ascii: "Z") || bytes[end + 2] == UInt8(ascii: "X")
}

/// Waits for a process that is not our child, of whose end nobody tells us, for 10 s at most.
func waitUntilGone(_ pid: Int32) async throws -> Bool {
    for _ in 0..<1000 {
        if isGone(pid) { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
