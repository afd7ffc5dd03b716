internal import Glibc
internal import Synchronization

/// Sends entries to the systemd journal by its native protocol, from a thread of its own behind a bounded queue.
///
/// Not libsystemd's `sd_journal_sendv`: that blocks while journald hangs and reports success for entries that are lost.
/// What this writer has sent was taken by the kernel for journald; whether it is stored can not be known.
///
/// Any thread may call everything. ``offer(_:keepingFree:)`` works before ``start()``, so that a process can log before
/// it may have a second thread. One writer serves the whole process; whoever made it calls ``close(drainingFor:)`` last.
public final class JournalWriter: Sendable {
    /// Where journald listens.
    public static let defaultPath = "/run/systemd/journal/socket"
    /// How much waits at most, in bytes.
    public static let defaultCapacity = 4 * 1024 * 1024

    /// How a writer stands.
    public struct Status: Hashable, Sendable {
        /// Entries that wait, those on their way included.
        public var queuedEntries: Int
        /// Their bytes.
        public var queuedBytes: Int
        /// Entries that the kernel has taken.
        public var sent: UInt64
        /// Entries that no socket would take, although it took others: given up after three tries.
        public var dropped: UInt64
        /// How often the socket went away behind entries that it had taken: what journald had not read of them is lost,
        /// and nobody can say how much that was.
        public var lostConnections: UInt64
        /// Whether the last try to connect or send worked. False before ``JournalWriter/start()``.
        public var isConnected: Bool
        /// The last thing that failed, also when it works again; our own words.
        public var lastError: String?
    }

    /// What the callers and the thread share.
    final class Shared: Sendable {
        struct State {
            /// What the thread has not taken.
            var queue = JournalQueue()
            /// What it has taken and not sent.
            var takenEntries = 0
            var takenBytes = 0
            var sent: UInt64 = 0
            var dropped: UInt64 = 0
            var lostConnections: UInt64 = 0
            var isConnected = false
            var lastError: String?
            /// Whether the thread waits for entries and must be woken.
            var rest = Rest.none
            var phase = Phase.new
        }

        /// How the thread waits for entries.
        enum Rest {
            /// It does not.
            case none
            /// For milliseconds, then it looks by itself: only an entry that would leave little room wakes it.
            case brief
            /// Until it is woken.
            case long
        }

        enum Phase {
            case new
            case running(pthread_t)
            /// Until when entries are still sent, in monotonic nanoseconds.
            case closing(deadline: UInt64)
        }

        let path: String
        /// The first and the longest pause between two tries, in milliseconds.
        let backoff: ClosedRange<Int>
        let waker = JournalWaker()
        let state = Mutex(State())

        init(path: String, backoff: ClosedRange<Int>) {
            self.path = path
            self.backoff = backoff
        }
    }

    /// How much waits at most, in bytes.
    public let capacity: Int
    private let shared: Shared

    /// A writer that has not begun to send.
    public convenience init(path: String = defaultPath, capacity: Int = defaultCapacity) {
        self.init(path: path, capacity: capacity, backoff: 250...5000)
    }

    init(path: String, capacity: Int, backoff: ClosedRange<Int>) {
        self.capacity = capacity
        shared = Shared(path: path, backoff: backoff)
    }

    deinit {
        close(drainingFor: 0)
    }

    /// Connects, if it can, and starts the thread. Only the first call does something.
    public func start() {
        let shared = shared
        shared.state.withLock { state in
            guard case .new = state.phase else { return }
            let courier = JournalCourier(shared)
            courier.connectFirst(&state)
            guard let thread = Self.spawn(courier) else {
                state.lastError = "cannot start the journal's thread"
                return
            }
            state.phase = .running(thread)
        }
    }

    /// Queues one entry. Never waits for the journal and copies bytes only.
    /// - Parameter keepingFree: how many bytes must stay free behind it, for those that matter more.
    /// - Returns: false when the queue has no room for it, or the writer is closed; it is then nobody's any more.
    public func offer(_ entry: borrowing JournalEntry, keepingFree: Int = 0) -> Bool {
        let size = entry.bytes.count
        let answer: (isTaken: Bool, mustWake: Bool) = shared.state.withLock { state in
            if case .closing = state.phase { return (false, false) }
            guard state.queue.byteCount + state.takenBytes + size + keepingFree <= capacity else {
                return (false, false)
            }
            state.queue.append(entry)
            let mustWake =
                switch state.rest {
                case .none: false
                case .brief: state.queue.byteCount > capacity / 4
                case .long: true
                }
            if mustWake { state.rest = .none }
            return (true, mustWake)
        }
        if answer.mustWake { shared.waker.wake() }
        return answer.isTaken
    }

    /// How many bytes ``offer(_:keepingFree:)`` would still take.
    public var freeBytes: Int {
        shared.state.withLock { capacity - $0.queue.byteCount - $0.takenBytes }
    }

    /// Whether the last try to connect or send worked; see ``Status/isConnected``.
    public var isConnected: Bool {
        shared.state.withLock { $0.isConnected }
    }

    /// How the writer stands.
    public var status: Status {
        shared.state.withLock { state in
            Status(
                queuedEntries: state.queue.count + state.takenEntries,
                queuedBytes: state.queue.byteCount + state.takenBytes, sent: state.sent, dropped: state.dropped,
                lostConnections: state.lostConnections,
                isConnected: state.isConnected, lastError: state.lastError)
        }
    }

    /// Takes no more, sends what waits for at most `seconds`, and ends the thread. Blocks the caller so long; a writer
    /// that was never started sends on the caller's thread. What could not be sent shows in ``status``.
    public func close(drainingFor seconds: Double) {
        let deadline = MonotonicTime.now + UInt64(max(0, seconds) * 1e9)
        let former = shared.state.withLock { state in
            defer { if case .closing = state.phase {} else { state.phase = .closing(deadline: deadline) } }
            return state.phase
        }
        switch former {
        case .new: JournalCourier(shared).run()
        case .running(let thread):
            shared.waker.wake()
            pthread_join(thread, nil)
        case .closing: return
        }
    }

    /// With all signals blocked: they belong to the threads that wait for them.
    private static func spawn(_ courier: JournalCourier) -> pthread_t? {
        var all = sigset_t()
        var former = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &former)
        defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(courier)
        let code = pthread_create(
            &thread, nil,
            { context in
                // The thread is given a courier and nothing else.
                Unmanaged<JournalCourier>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        if code == 0 { return thread }
        context.release()
        return nil
    }

    /// The system's own words for an errno.
    static func text(of code: Int32) -> String {
        // strerror answers with a text for every number.
        strerror(code).map { String(cString: $0).lowercased() } ?? "error \(code)"
    }
}

/// The clock that never jumps, in nanoseconds.
enum MonotonicTime {
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
