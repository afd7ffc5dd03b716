import Glibc

/// `<file>.lock`: held while a file is rotated, so that gateways that share it do so one after the other. The lock file
/// is never removed or renamed, or two could hold it at once.
struct RotationLock: ~Copyable {
    private let number: Int32

    /// Takes the lock if it is free. Never waits, because this runs on the loop: whoever finds it taken keeps appending
    /// and tries again. Throws the errno, `EWOULDBLOCK` when another one holds it.
    ///
    /// `patience` is for who can not go on without it: so many more attempts, 50 µs apart. A holder needs it for a few
    /// system calls only.
    init(_ path: String, patience: Int = 0) throws(Errno) {
        let lock = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard lock >= 0 else { throw Errno(code: errno) }
        var attemptsLeft = patience
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK, attemptsLeft > 0 else {
                close(lock)
                throw Errno(code: code)
            }
            attemptsLeft -= 1
            usleep(50)
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
