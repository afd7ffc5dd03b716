internal import CSystemd
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Tells the service manager how the service fares: sd_notify(3).
///
/// Any thread may call. Messages are sent in the order of the calls, by a queue of this notifier's own, since PID 1 may
/// be slow to read its socket; no caller waits, except in ``flush(within:)``. What cannot be delivered is dropped: the
/// manager learns the next state, and a status that was lost is sent again with the next message that has one.
///
/// A status is one line for people, shown by `systemctl status`; control characters become spaces and what is longer
/// than 2048 bytes is cut. It is not sent again while it stays the same.
public final class ServiceNotifier: Sendable {
    private let queue = DispatchQueue(label: "gatekit.systemd.notify")
    private let send: @Sendable (String) -> Int32
    /// The status that the manager shows. Only the queue uses it.
    private let shown = Mutex<String?>(nil)

    /// A notifier for the manager that started this process; nil when none wants to be told (no `NOTIFY_SOCKET`). The
    /// environment is read again with every message and never changed, so that the image after execve finds it.
    public static func fromEnvironment() -> ServiceNotifier? {
        guard let socket = getenv("NOTIFY_SOCKET"), socket.pointee != 0 else { return nil }
        return ServiceNotifier { sd_notify(0, $0) }
    }

    /// - Parameter send: returns a negative errno when the message was not delivered.
    init(send: @escaping @Sendable (String) -> Int32) {
        self.send = send
    }

    /// The service is up: ends `systemctl start`.
    public func ready(status: String) {
        post(NotifyMessage(["READY=1"], status: status))
    }

    /// A reload begins. Must be followed by ``reloaded(status:errno:)`` whatever comes of it, or the unit stays in state
    /// `reloading` for ever.
    public func reloading(status: String) {
        post(NotifyMessage(["RELOADING=1", "MONOTONIC_USEC=\(Self.monotonicMicroseconds())"], status: status))
    }

    /// A reload has ended, well with `errno` 0, else with the number that `systemctl status` shall show as the error.
    public func reloaded(status: String, errno: Int32) {
        post(NotifyMessage(["READY=1", "ERRNO=\(errno)"], status: status))
    }

    /// Says how things stand.
    public func status(_ text: String) {
        post(NotifyMessage([], status: text))
    }

    /// The end begins.
    public func stopping(status: String) {
        post(NotifyMessage(["STOPPING=1"], status: status))
    }

    /// Asks for this much time from now on for the start, the reload or the stop that is under way.
    public func extendTimeout(microseconds: UInt64) {
        post(NotifyMessage(["EXTEND_TIMEOUT_USEC=\(microseconds)"]))
    }

    /// A sign of life; see ``Watchdog``.
    public func watchdog() {
        post(NotifyMessage(["WATCHDOG=1"]))
    }

    /// The start has failed, or the service is about to end with an error: says why. Changes no state.
    public func failed(status: String, errno: Int32) {
        post(NotifyMessage(["ERRNO=\(errno)"], status: status))
    }

    /// Waits until all messages are sent, at most `limit`. Call before the process ends or executes itself anew; never
    /// on the gateway loop while it serves.
    /// - Returns: false when the manager did not read them in time.
    @discardableResult
    public func flush(within limit: Duration = .seconds(2)) -> Bool {
        let sent = DispatchSemaphore(value: 0)
        queue.async { sent.signal() }
        let nanoseconds = limit.components.seconds * 1_000_000_000 + limit.components.attoseconds / 1_000_000_000
        return sent.wait(timeout: .now() + .nanoseconds(Int(nanoseconds))) == .success
    }

    private func post(_ message: NotifyMessage) {
        queue.async { [self] in
            shown.withLock { shown in
                let isNews = message.status != nil && message.status != shown
                guard let text = message.text(withStatus: isNews) else { return }
                let isSent = send(text) > 0
                if isNews { shown = isSent ? message.status : nil }
            }
        }
    }

    private static func monotonicMicroseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000
    }
}
