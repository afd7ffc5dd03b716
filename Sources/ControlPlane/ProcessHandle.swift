internal import CPidfd
internal import Glibc

/// A hold on one process: what is signalled and waited for is that process, never a later one with its number.
///
/// Closes its descriptor when the last reference goes. May be used from any one thread.
public final class ProcessHandle {
    /// The process.
    public let pid: Int32
    private let descriptor: Int32

    /// Takes hold of the process that `identity` names; nil when it has ended, or its number is another's by now.
    public init?(_ identity: ProcessIdentity) {
        var opened: Int32 = -1
        guard gk_pidfd_open(identity.pid, &opened) == 0 else { return nil }
        // Compared after opening: the descriptor cannot move to another process any more.
        guard let now = ProcessIdentity.of(identity.pid), now.isSame(as: identity) else {
            close(opened)
            return nil
        }
        pid = identity.pid
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Sends a signal. Fails with ``ControlError/Code/notPermitted`` or ``ControlError/Code/ended``.
    public func signal(_ number: Int32) throws(ControlError) {
        switch gk_pidfd_signal(descriptor, number) {
        case 0: return
        case ESRCH: throw ControlError(.ended, "process \(pid) has ended")
        case EPERM:
            let owner = ProcessIdentity.user(of: pid).map { "uid \($0)" } ?? "another user"
            throw ControlError(
                .notPermitted, "process \(pid) belongs to \(owner): run this as root or as that user, with sudo")
        case let error: throw .system("pidfd_send_signal", "\(pid)", error)
        }
    }

    /// Blocks until the process has ended, at most until `deadline` (``ControlTime/monotonic()``); whether it has.
    public func waitForExit(until deadline: UInt64) -> Bool {
        Readiness.wait(descriptor, POLLIN, until: deadline)
    }
}

/// poll(2) with a deadline.
enum Readiness {
    /// Whether `events` came before `deadline`. At least looks once.
    static func wait(_ descriptor: Int32, _ events: Int32, until deadline: UInt64) -> Bool {
        while true {
            let now = ControlTime.monotonic()
            // Rounded up, or the last millisecond would be spent spinning.
            let left = deadline > now ? (deadline - now + 999_999) / 1_000_000 : 0
            var watched = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = poll(&watched, 1, Int32(min(left, 3_600_000)))
            if count > 0 { return true }
            if ControlTime.monotonic() >= deadline { return false }
        }
    }
}
