internal import Glibc
internal import Synchronization

/// The thread of a ``JournalWriter``: takes what was queued, sends it in order, and waits for a journal that is slow or
/// gone. Confined to that thread once ``run()`` was called.
final class JournalCourier {
    private let shared: JournalWriter.Shared
    private var socket: JournalSocket?
    private var batch = JournalQueue()
    /// What was sent or given up since the shared counts were brought up to date.
    private var settled = (entries: 0, bytes: 0, dropped: 0)
    /// When the next try to connect may be made, in monotonic nanoseconds.
    private var nextTry: UInt64 = 0
    /// The pause behind the next failure, in milliseconds; 0 while all goes well.
    private var pause = 0
    /// How often the first entry has failed for a reason that lies in itself, as it seems.
    private var refusals = 0
    private var deadline: UInt64?
    /// Whether something was sent since the last rest.
    private var hasSent = false
    private var hasSentSinceConnect = false

    /// How long the thread waits for more without being woken for it, once it has sent something, in nanoseconds. Being
    /// woken for each entry costs the one who queues it more than the entry itself.
    private static let briefRest: UInt64 = 5_000_000

    init(_ shared: JournalWriter.Shared) {
        self.shared = shared
    }

    /// The try to connect that ``JournalWriter/start()`` makes, under the lock that it holds.
    func connectFirst(_ state: inout JournalWriter.Shared.State) {
        let failure = connect()
        state.isConnected = failure == nil
        if let failure { state.lastError = failure }
    }

    /// Sends until the writer is closed, and then until nothing is left or the deadline has passed.
    func run() {
        while takeMore() {
            if socket == nil { reconnect() }
            if socket == nil {
                wait(until: nextTry)
            } else if batch.isEmpty {
                let isBrief = hasSent
                hasSent = false
                wait(until: isBrief ? MonotonicTime.now + Self.briefRest : nil)
            } else {
                sendBatch()
            }
        }
        settle()
        shared.state.withLock { $0.isConnected = false }
    }

    /// Takes what was queued when everything before is sent. False at the end.
    private func takeMore() -> Bool {
        shared.state.withLock { state in
            if case .closing(let deadline) = state.phase {
                self.deadline = deadline
                if batch.isEmpty, state.queue.isEmpty { return false }
                if MonotonicTime.now >= deadline { return false }
            }
            if batch.isEmpty, !state.queue.isEmpty {
                swap(&batch, &state.queue)
                state.takenEntries = batch.count
                state.takenBytes = batch.byteCount
            }
            state.rest = !batch.isEmpty ? .none : hasSent ? .brief : .long
            return true
        }
    }

    private func sendBatch() {
        defer { settle() }
        while let range = batch.first {
            if let deadline, MonotonicTime.now >= deadline { return }
            // Only called while there is one.
            let code = batch.bytes.withUnsafeBytes { socket!.send(UnsafeRawBufferPointer(rebasing: $0[range])) }
            switch code {
            case 0:
                (pause, refusals) = (0, 0)
                firstIsDone(range.count)
                hasSent = true
                hasSentSinceConnect = true
                if settled.entries >= 64 { settle() }
            case EAGAIN:
                settle()
                if waitForRoom() { return }
            case ENOBUFS, ENOMEM, ETOOMANYREFS:
                // The kernel's own shortages, which pass.
                settle()
                note(code)
                _ = poll(nil, 0, 100)
                return
            case ECONNREFUSED, ENOTCONN, ECONNRESET, ENOENT, EPIPE:
                return disconnect(code)
            default:
                refusals += 1
                if refusals >= 3 {
                    refusals = 0
                    settled.dropped += 1
                    firstIsDone(range.count)
                }
                return disconnect(code)
            }
        }
    }

    private func firstIsDone(_ size: Int) {
        batch.removeFirst()
        settled.entries += 1
        settled.bytes += size
    }

    /// Brings the shared counts up to date.
    private func settle() {
        guard settled.entries > 0 else { return }
        let settled = settled
        self.settled = (0, 0, 0)
        shared.state.withLock { state in
            state.takenEntries -= settled.entries
            state.takenBytes -= settled.bytes
            state.sent += UInt64(settled.entries - settled.dropped)
            state.dropped += UInt64(settled.dropped)
            state.isConnected = true
        }
    }

    // MARK: Connecting

    /// nil when connected, or why not.
    private func connect() -> String? {
        do throws(JournalSocket.Failure) {
            socket = try JournalSocket(path: shared.path)
            return nil
        } catch {
            failed()
            return "cannot reach \(shared.path): \(JournalWriter.text(of: error.code))"
        }
    }

    private func reconnect() {
        guard MonotonicTime.now >= nextTry else { return }
        let failure = connect()
        shared.state.withLock { state in
            state.isConnected = failure == nil
            state.lastError = failure ?? state.lastError
        }
    }

    private func disconnect(_ code: Int32) {
        settle()
        socket = nil
        failed()
        note(code)
        let hasLost = hasSentSinceConnect
        hasSentSinceConnect = false
        shared.state.withLock { state in
            state.isConnected = false
            if hasLost { state.lostConnections += 1 }
        }
    }

    /// The first try after a failure comes at once.
    private func failed() {
        nextTry = MonotonicTime.now + UInt64(pause) * 1_000_000
        pause = pause == 0 ? shared.backoff.lowerBound : min(pause * 2, shared.backoff.upperBound)
    }

    private func note(_ code: Int32) {
        let text = "cannot send to \(shared.path): \(JournalWriter.text(of: code))"
        shared.state.withLock { $0.lastError = text }
    }

    // MARK: Waiting

    /// Until an entry comes, `time` has come, or the writer is closed.
    private func wait(until time: UInt64?) {
        var watched = pollfd(fd: shared.waker.number, events: Int16(POLLIN), revents: 0)
        // Closing is known already: the waker stays ready and would end every wait at once.
        let count: nfds_t = deadline == nil ? 1 : 0
        _ = poll(&watched, count, milliseconds(until: time))
        if watched.revents != 0 { shared.waker.clear() }
    }

    /// Until the journal takes more. True when the writer is being closed, which the caller has to look at. Half a
    /// second at most: a receiver that goes away need not wake those who wait for it.
    private func waitForRoom() -> Bool {
        guard let number = socket?.number else { return true }
        var watched = [
            pollfd(fd: number, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: shared.waker.number, events: Int16(POLLIN), revents: 0),
        ]
        let limit = milliseconds(until: MonotonicTime.now + 500_000_000)
        _ = poll(&watched, deadline == nil ? 2 : 1, limit)
        guard watched[1].revents != 0 else { return false }
        shared.waker.clear()
        return true
    }

    /// From now until `time` or the deadline, whichever is first, rounded up; -1 without either.
    private func milliseconds(until time: UInt64?) -> Int32 {
        guard let end = [time, deadline].compactMap({ $0 }).min() else { return -1 }
        let now = MonotonicTime.now
        return end <= now ? 0 : Int32(clamping: (end - now + 999_999) / 1_000_000)
    }
}
