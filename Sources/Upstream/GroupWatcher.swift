import CSpawn
import Glibc

/// Our end of the group watcher.
struct GroupWatcher {
    let socket: CInt
    let pid: pid_t

    /// Forks a watcher that knows no groups yet.
    static func start() throws(SpawnThreadFailure) -> GroupWatcher {
        var socket: CInt = -1
        var pid: pid_t = 0
        let error = gk_watcher_start(&socket, &pid)
        guard error == 0 else { throw SpawnThreadFailure(what: "group watcher", errno: error) }
        return GroupWatcher(socket: socket, pid: pid)
    }

    /// Lets it go and reaps it: at once when no group is left, else after it has ended them, within about a second.
    func end() {
        close(socket)
        reap()
    }

    /// Ends it without its duty being done; also one that is stopped or stuck.
    func kill() {
        Glibc.kill(pid, SIGKILL)
        close(socket)
        reap()
    }

    private func reap() {
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }
}
