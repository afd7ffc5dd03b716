import CSpawn
import Glibc
import Logging
import NIOCore

/// The body of the spawn thread: waits in poll for commands, ended processes and the watcher's death.
///
/// Created on the starting thread, used on the spawn thread only.
final class SpawnLoop {
    private struct Child {
        let pidfd: CInt
        let request: SpawnRequest
        var ended = false
        var release: (@Sendable () -> Void)?
    }

    private let thread: SpawnThread
    private let waker: CInt
    private var watcher: GroupWatcher?
    private let lookup: ProgramLookup
    private let reapsForeignProcesses: Bool
    private let logger: Logger
    private var children: [pid_t: Child] = [:]

    init(
        thread: SpawnThread, waker: CInt, watcher: GroupWatcher, lookup: ProgramLookup, reapsForeignProcesses: Bool,
        logger: Logger
    ) {
        self.thread = thread
        self.waker = waker
        self.watcher = watcher
        self.lookup = lookup
        self.reapsForeignProcesses = reapsForeignProcesses
        self.logger = logger
    }

    /// Returns after ``SpawnCommand/shutdown``.
    func run() {
        while true {
            waitForSomething(milliseconds: reapsForeignProcesses ? 1000 : -1)
            for command in thread.takeCommands() {
                switch command {
                case .spawn(let request): spawn(request)
                case .signal(let group, let signal): self.signal(group, signal)
                case .release(let group, let done): release(group, done)
                case .shutdown: return endEverything()
                }
            }
            if reapsForeignProcesses { reapForeignProcesses() }
        }
    }

    // MARK: Waiting

    private func waitForSomething(milliseconds: Int32) {
        var descriptors = [pollfd(fd: waker, events: Int16(POLLIN), revents: 0)]
        descriptors.append(pollfd(fd: watcher?.socket ?? -1, events: 0, revents: 0))
        let running = children.filter { !$0.value.ended }
        for child in running.values { descriptors.append(pollfd(fd: child.pidfd, events: Int16(POLLIN), revents: 0)) }
        guard poll(&descriptors, nfds_t(descriptors.count), milliseconds) > 0 else { return }
        if descriptors[0].revents != 0 { gk_waker_rest(waker) }
        if descriptors[1].revents != 0 { replaceWatcher() }
        for (pid, child) in running { notice(pid, child) }
    }

    private func notice(_ pid: pid_t, _ child: Child) {
        var end = gk_end()
        guard gk_peek(child.pidfd, &end) == 0 else { return }
        let status = end.signalled ? ExitStatus.signalled(signal: end.value) : .exited(code: end.value)
        children[pid]?.ended = true
        child.request.eventLoop.execute { child.request.ended(status) }
        if let done = child.release { reap(pid, child, done) }
    }

    // MARK: Starting

    private func spawn(_ request: SpawnRequest) {
        let result = Result { () throws(StartFailure) in try start(request) }
        request.eventLoop.execute { request.started(result) }
    }

    private func start(_ request: SpawnRequest) throws(StartFailure) -> SpawnedProcess {
        let plan = request.plan
        let path = try lookup.resolve(plan)
        if watcher == nil { replaceWatcher() }
        guard children.count < Int(GK_WATCHED_GROUPS_MAX) else {
            throw StartFailure(plan, path: path, stage: .watcher, errno: ENOSPC)
        }
        var child = gk_child()
        var failure = fork(plan, path, &child)
        // The watcher may have died in this very moment, before poll could tell.
        if let first = failure, first.stage == GK_STAGE_WATCHER.rawValue {
            replaceWatcher()
            failure = fork(plan, path, &child)
        }
        if let failure { throw StartFailure(plan, path: path, failure) }
        children[child.pid] = Child(pidfd: child.pidfd, request: request)
        return SpawnedProcess(pid: child.pid, stdin: child.stdin_fd, stdout: child.stdout_fd, stderr: child.stderr_fd)
    }

    private func fork(_ plan: LaunchPlan, _ path: String, _ child: inout gk_child) -> gk_failure? {
        var failure = gk_failure()
        let error = CStrings.with([plan.program] + plan.arguments) { arguments in
            CStrings.with(plan.environmentLines) { environment in
                gk_spawn(
                    path, arguments, environment, plan.workingDirectory, watcher?.socket ?? -1, &child, &failure)
            }
        }
        return error == 0 ? nil : failure
    }

    // MARK: Ending

    private func signal(_ group: pid_t, _ signal: Int32) {
        guard children[group] != nil else { return }
        kill(-group, signal)
    }

    private func release(_ group: pid_t, _ done: @escaping @Sendable () -> Void) {
        guard let child = children[group] else { return }
        if child.ended {
            reap(group, child, done)
        } else {
            children[group]?.release = done
        }
    }

    /// The order matters: while the zombie is there, nobody else can have its number, so neither the signal nor the
    /// watcher's list can mean a stranger.
    private func reap(_ pid: pid_t, _ child: Child, _ done: @escaping @Sendable () -> Void) {
        kill(-pid, SIGKILL)
        if let watcher { _ = gk_watcher_tell(watcher.socket, -pid) }
        gk_reap(child.pidfd)
        close(child.pidfd)
        children[pid] = nil
        child.request.eventLoop.execute { done() }
    }

    private func endEverything() {
        for (pid, child) in children where !child.ended { children[pid]?.release = child.release ?? {} }
        for pid in children.keys { kill(-pid, SIGKILL) }
        for (pid, child) in children where child.ended { reap(pid, child) {} }
        // A process that is stuck in the kernel outlives any signal; after these steps it is left to the watcher.
        var steps = 20
        while !children.isEmpty, steps > 0 {
            waitForSomething(milliseconds: 100)
            steps -= 1
        }
        for child in children.values { close(child.pidfd) }
        watcher?.end()
    }

    // MARK: The watcher and strangers

    /// Somebody killed the watcher. The next one is a copy of a bigger process, but knows as much.
    private func replaceWatcher() {
        watcher?.kill()
        watcher = nil
        do {
            let next = try GroupWatcher.start()
            for pid in children.keys { _ = gk_watcher_tell(next.socket, pid) }
            watcher = next
            logger.warning("the group watcher had ended and was started again (pid \(next.pid))")
        } catch {
            logger.error("the group watcher had ended; no upstream is started until there is one: \(error)")
        }
    }

    private func reapForeignProcesses() {
        while true {
            let pid = gk_any_zombie()
            // One of ours is in front: its own way to the grave is short, and the strangers behind it can wait.
            if pid <= 0 || children[pid] != nil || pid == watcher?.pid { return }
            gk_reap_pid(pid)
        }
    }
}

extension StartFailure {
    fileprivate init(_ plan: LaunchPlan, path: String, _ failure: gk_failure) {
        let stage: Stage
        switch gk_stage(UInt32(failure.stage)) {
        case GK_STAGE_CHDIR: stage = .workingDirectory
        case GK_STAGE_EXEC: stage = .execution
        case GK_STAGE_WATCHER: stage = .watcher
        case GK_STAGE_ISOLATE: stage = .isolation
        default: stage = .resources
        }
        self.init(plan, path: path, stage: stage, errno: failure.error)
    }
}

/// A NULL-terminated array of C strings, alive during a call.
private enum CStrings {
    static func with<R>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeBufferPointer { buffer in
            // Never empty: the terminator is in it.
            body(buffer.baseAddress!)
        }
    }
}
