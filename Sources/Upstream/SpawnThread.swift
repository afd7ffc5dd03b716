import CSpawn
import Glibc
public import Logging
import NIOConcurrencyHelpers
import NIOCore

/// The one permanent thread that starts programs, notices their ends and reaps them.
///
/// Permanent, because the kernel ends a child together with the *thread* that forked it. It also owns the group
/// watcher, the small process that ends every upstream should this one be killed.
///
/// Life: ``start()`` once, before other threads exist if possible; ``shutdown()`` once, after every upstream has
/// reported its end.
public final class SpawnThread: Sendable {
    private enum Lifecycle {
        case idle
        case running(thread: pthread_t, waker: CInt)
        case stopped
    }

    private struct State {
        var lifecycle = Lifecycle.idle
        var commands: [SpawnCommand] = []
    }

    // Not Synchronization.Mutex: its futex is invisible to the thread sanitizer, which then reports every access.
    private let state = NIOLockedValueBox(State())
    private let logger: Logger
    private let lookup: ProgramLookup
    private let reapsForeignProcesses: Bool

    /// Prepares a thread; starts nothing.
    ///
    /// - Parameters:
    ///   - reapsForeignProcesses: whether orphans that became our children are reaped as init would: needed for PID 1
    ///     of a container and for a child subreaper. nil asks whether this is PID 1.
    ///   - logger: told when the group watcher had to be replaced.
    public convenience init(reapsForeignProcesses: Bool? = nil, logger: Logger) {
        self.init(
            reapsForeignProcesses: reapsForeignProcesses ?? (getpid() == 1), lookup: ProgramLookup(), logger: logger)
    }

    init(reapsForeignProcesses: Bool, lookup: ProgramLookup, logger: Logger) {
        self.reapsForeignProcesses = reapsForeignProcesses
        self.lookup = lookup
        self.logger = logger
    }

    /// Forks the group watcher, which is a copy of the process as it is now, and starts the thread.
    ///
    /// SIGCHLD gets its default action, which nothing may change later. Throws ``SpawnThreadFailure`` when descriptors or processes ran out. Must not be called twice.
    public func start() throws {
        try state.withLockedValue { state in
            guard case .idle = state.lifecycle else { preconditionFailure("the spawn thread is started once") }
            // Whoever started us may have left it ignored, and then the kernel reaps before we can ask.
            signal(SIGCHLD, SIG_DFL)
            var waker: CInt = -1
            try check(gk_waker_open(&waker), "waker")
            do {
                let watcher = try GroupWatcher.start()
                let loop = SpawnLoop(
                    thread: self, waker: waker, watcher: watcher, lookup: lookup,
                    reapsForeignProcesses: reapsForeignProcesses, logger: logger)
                state.lifecycle = .running(thread: try run(loop, or: watcher), waker: waker)
            } catch {
                close(waker)
                throw error
            }
        }
    }

    /// Kills and reaps what is still running, ends the watcher and joins the thread. Blocks for up to about 3 s in the
    /// worst case, so never from an event loop. Harmless when nothing was started.
    public func shutdown() {
        let running: (thread: pthread_t, waker: CInt)? = state.withLockedValue { state in
            defer { state.lifecycle = .stopped }
            guard case .running(let thread, let waker) = state.lifecycle else { return nil }
            state.commands.append(.shutdown)
            gk_waker_wake(waker)
            return (thread, waker)
        }
        guard let running else { return }
        pthread_join(running.thread, nil)
        close(running.waker)
    }

    /// Hands a command to the thread; commands are performed in order. False when it is not running.
    func submit(_ command: SpawnCommand) -> Bool {
        state.withLockedValue { state in
            guard case .running(_, let waker) = state.lifecycle else { return false }
            state.commands.append(command)
            gk_waker_wake(waker)
            return true
        }
    }

    /// For the thread itself: what has been submitted since it last asked.
    func takeCommands() -> [SpawnCommand] {
        state.withLockedValue { state in
            defer { state.commands.removeAll() }
            return state.commands
        }
    }

    private func run(_ loop: SpawnLoop, or watcher: GroupWatcher) throws -> pthread_t {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(loop)
        let error = pthread_create(&thread, nil, SpawnThread.body, context.toOpaque())
        guard error == 0 else {
            context.release()
            watcher.end()
            throw SpawnThreadFailure(what: "thread", errno: error)
        }
        return thread
    }

    // Not a closure inside a method: it must not inherit an isolation that a foreign thread would trap on.
    private static let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        gk_name_thread("gatekit-spawn")
        if let context { Unmanaged<SpawnLoop>.fromOpaque(context).takeRetainedValue().run() }
        return nil
    }
}

/// Why the spawn thread could not be started.
public struct SpawnThreadFailure: Error, Sendable, CustomStringConvertible {
    /// `waker`, `group watcher` or `thread`.
    public let what: String
    /// What the kernel said.
    public let errno: Int32

    /// One line for the log.
    public var description: String {
        "the spawn thread's \(what) cannot be made: \(String(cString: strerror(errno))); "
            + "raise the limits on processes and open files"
    }
}

private func check(_ error: CInt, _ what: String) throws {
    guard error == 0 else { throw SpawnThreadFailure(what: what, errno: error) }
}

/// What the event loop asks of the spawn thread.
enum SpawnCommand: Sendable {
    /// Start a program.
    case spawn(SpawnRequest)
    /// Send a signal to every process of a group; ignored once its leader has been reaped.
    case signal(group: pid_t, Int32)
    /// Kill what is left of a group once its leader has ended, reap the leader, then call back on the loop.
    case release(group: pid_t, done: @Sendable () -> Void)
    /// End everything.
    case shutdown
}

/// A program to start, and whom to tell. The callbacks run on `eventLoop`, in order.
struct SpawnRequest: Sendable {
    let plan: LaunchPlan
    let eventLoop: any EventLoop
    let started: @Sendable (Result<SpawnedProcess, StartFailure>) -> Void
    /// The group's leader has ended. It stays a zombie until ``SpawnCommand/release(group:done:)``, so that its number
    /// and its group's stay its own.
    let ended: @Sendable (ExitStatus) -> Void
}

/// A program that runs. The receiver owns the three descriptors.
struct SpawnedProcess: Sendable {
    /// Also its process group.
    let pid: pid_t
    /// Written by us.
    let stdin: CInt
    /// Read by us.
    let stdout: CInt
    /// Read by us.
    let stderr: CInt
}
