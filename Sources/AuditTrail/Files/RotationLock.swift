import Glibc

/// `<file>.lock`: held while a file is rotated, so that gateways that share it do so one after the other. The lock file
/// is never removed or renamed, or two could hold it at once.
struct RotationLock: ~Copyable {
    private let number: Int32

    /// Takes the lock if it is free. Never waits, because this runs on the loop: whoever finds it taken keeps appending
    /// and tries again. Throws the errno, `EWOULDBLOCK` when another one holds it.
    init(_ path: String) throws(Errno) {
        let lock = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard lock >= 0 else { throw Errno(code: errno) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(lock)
            throw Errno(code: code)
        }
        number = lock
    }

    deinit {
        // Closing gives the lock back.
        close(number)
    }
}

/// A system call's error number.
struct Errno: Error, Hashable {
    let code: Int32
}
