internal import Glibc

/// flock(2) on the lock file beside the PID file: kept for the life of the process and over execve, let go by the
/// kernel however the process ends. The file is never renamed or removed.
public struct ControlLock: Sendable {
    /// The lock file.
    public let path: String
    /// What holds the lock; close-on-exec unless ``keepOverExec()`` was called.
    public let descriptor: Int32

    /// Takes the lock, or fails with ``ControlError/Code/alreadyRunning``.
    public static func take(_ path: String) throws(ControlError) -> ControlLock {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("open", path, errno) }
        let lock = ControlLock(path: path, descriptor: descriptor)
        do {
            try lock.hold()
        } catch {
            close(descriptor)
            throw error
        }
        return lock
    }

    /// Takes over the lock that the program image before an execve held as `descriptor`; fails when that is not `path`,
    /// or not locked by us.
    public static func adopt(_ descriptor: Int32, path: String) throws(ControlError) -> ControlLock {
        var held = stat()
        var named = stat()
        guard fstat(descriptor, &held) == 0, lstat(path, &named) == 0, held.st_dev == named.st_dev,
            held.st_ino == named.st_ino
        else { throw ControlError(.notOurs, "descriptor \(descriptor) is not the lock \(path)") }
        let lock = ControlLock(path: path, descriptor: descriptor)
        // The same open file description: free when it holds the lock already, as it should.
        try lock.hold()
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return lock
    }

    /// Lets the descriptor pass the next execve. Call right before it; no child must be started in between.
    public func keepOverExec() throws(ControlError) {
        if fcntl(descriptor, F_SETFD, 0) != 0 { throw .system("fcntl", path, errno) }
    }

    /// Lets go of the lock. Once only.
    public func release() {
        // Closing alone would leave it to a child that is between fork and execve.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private func hold() throws(ControlError) {
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return }
        guard errno == EWOULDBLOCK else { throw .system("flock", path, errno) }
        throw ControlError(.alreadyRunning, "\(path) is locked by another instance")
    }
}
