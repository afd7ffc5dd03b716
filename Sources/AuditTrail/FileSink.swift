import GatewayConfiguration
import GatewayEvents

/// One file of records: gives each event its `seq`, keeps what is not yet written, and decides whether requests may
/// pass.
///
/// The gate of a critical sink closes when room can not be reserved, when a write or sync fails, and when the file at
/// its path can not be followed. It opens again in ``tick(inspects:)``, behind an AUDIT_GAP.
///
/// A sink that is not critical closes nothing: it keeps up to ``mostPending`` bytes that the system did not take, and
/// counts what comes beyond.
final class FileSink: AuditSink {
    /// What a sink may hold back that is not critical, in bytes; a critical one's answers may go beyond.
    static let mostPending = 1 << 20
    /// A sink of durability `none` writes at this many bytes, or after ``longestDelay`` nanoseconds.
    static let batch = 256 * 1024
    static let longestDelay: UInt64 = 50_000_000

    private(set) var settings: FileAuditingSettings
    /// Whose `config` value the sink's own records carry.
    private var snapshot: Snapshot
    private var encoder: any RecordEncoder
    private let file: AuditFile
    /// Whether the file did not exist before this sink.
    private let isNew: Bool
    private let run: String
    private let clock: AuditClock
    private let calls: FileCalls

    private let pending = LineBuffer()
    /// Whether the first pending byte continues a record whose beginning is in the file.
    private var isMidRecord = false
    private(set) var nextFlush: UInt64?
    private(set) var seq: UInt64
    /// Admitted requests whose response has not come.
    private var outstanding = 0
    /// Requests were taken since the last sync was asked for.
    private var tookRequests = false
    private var gap: SinkNotice.Gap?

    /// Why the gate is closed.
    private var closed: String?
    private var writeFailure: String?
    private var followFailure: String?
    private var syncFailure: (reason: String, since: Int64)?
    private var lastError: String?
    /// False from a failure to the next tick, so that a full disk does not cost a system call for every event.
    private var mayReserve = true
    private var mayRotate = true
    private var records: UInt64 = 0
    private var bytes: UInt64 = 0
    private var missing: UInt64 = 0

    // MARK: Opening

    /// Opens the file of `settings`, moves one of another format away, and reserves room if critical. Nothing is
    /// written yet.
    init(
        _ settings: FileAuditingSettings, at place: FilePlace, snapshot: Snapshot, run: String, after seq: UInt64,
        clock: AuditClock, calls: FileCalls
    ) throws(AuditError) {
        self.settings = settings
        self.snapshot = snapshot
        self.run = run
        self.seq = seq
        self.clock = clock
        self.calls = calls
        encoder = FormatChoice.encoder(for: settings, run: run)
        let access = try FileAccess(settings)
        let opened = try OpenedFile(place.path, access)
        isNew = opened.isNew
        file = AuditFile(opened, at: place, access: access, calls: calls)
        do {
            try begin(opened)
        } catch {
            if opened.isNew { file.remove() }
            throw error
        }
    }

    private func begin(_ opened: OpenedFile) throws(AuditError) {
        try adjust(to: opened)
        guard settings.critical, let shortage = file.reserve(roomToPass) else { return }
        throw AuditError(
            code: .noSpace, path: path,
            reason: "\(shortage); free some space, or set 'critical: false' to run without this audit")
    }

    /// Makes a file that was just opened ready for our records: another format is moved away, and a last line without
    /// its end, torn by a power cut or a kill, gets its newline, so that it stays the only one that can not be read.
    private func adjust(to opened: OpenedFile) throws(AuditError) {
        if !opened.beginning.isEmpty, !encoder.mayBegin(with: opened.beginning) {
            try moveAway("it begins in another format than '\(settings.format.rawValue)'")
        } else if let last = opened.lastByte, last != 0x0A {
            pending.prepend(0x0A)
        }
    }

    private func moveAway(_ why: String) throws(AuditError) {
        guard settings.backupCount > 0 else {
            throw AuditError(
                code: .otherFormat, path: path, reason: "\(why), and 'backup_count: 0' forbids to rotate; move it away")
        }
        switch file.rotate(backups: settings.backupCount, room: settings.critical ? roomToPass : 0) {
        case .done: return
        case .busy:
            throw AuditError(
                code: .otherFormat, path: path, reason: "\(why), and another process is rotating it; try again")
        case .failed(let reason):
            throw AuditError(code: .otherFormat, path: path, reason: "\(why), and it \(reason)")
        }
    }

    // MARK: Reconfiguring

    /// Tries what could go wrong with `next`: a new mode or format takes a new file, which is begun here. Returns what
    /// undoes it.
    func prepare(_ next: FileAuditingSettings) throws(AuditError) -> () -> Void {
        let access = try FileAccess(next)
        let former = file.access
        if !next.continues(settings), file.size > 0 || !pending.isEmpty {
            guard pending.isEmpty || write() else {
                throw AuditError(
                    code: .otherFormat, path: path, reason: "its last records are not written: \(lastError ?? "")")
            }
            try moveAway("how its records are printed changes")
        }
        try file.change(access)
        // Setting back what was set a moment ago: if even that fails, the file keeps the stricter check of its owner.
        return { [file] in try? file.change(former) }
    }

    /// Takes over settings that ``prepare(_:)`` has accepted, at a record boundary.
    func adopt(_ next: FileAuditingSettings, _ snapshot: Snapshot) {
        encoder = FormatChoice.encoder(for: next, run: run)
        settings = next
        self.snapshot = snapshot
        if !next.critical { closed = nil }
    }

    // MARK: AuditSink

    var path: String { file.path }
    var hasPending: Bool { !pending.isEmpty }

    func refusal() -> String? {
        guard settings.critical else { return nil }
        if closed == nil, let shortage = reserve(roomToPass) { close(shortage) }
        if let closed { miss(clock.wall(), closed) }
        return closed
    }

    func record(_ event: AuditEvent, as role: RecordRole, redaction: Redaction) {
        if pending.isEmpty, file.isShared { file.refresh() }
        switch role {
        case .admitted:
            outstanding += 1
            tookRequests = true
        case .answer:
            // A call may have been admitted before this sink was opened.
            outstanding = max(0, outstanding - 1)
        case .free: break
        }
        let mayBeMissed = role == .free || !settings.critical
        if mayBeMissed, let reason = obstacle() { return miss(event.time, reason) }
        let start = pending.count
        seq += 1
        encoder.encode(event, redaction: redaction, seq: seq, into: pending)
        if role == .free, settings.critical, let shortage = reserve(roomInUse) {
            pending.truncate(to: start)
            seq -= 1
            return miss(event.time, shortage)
        }
        taken(start)
    }

    func record(_ kind: SinkNotice.Kind) {
        let start = pending.count
        seq += 1
        encoder.encode(SinkNotice(time: clock.wall(), snapshot: snapshot, kind: kind), seq: seq, into: pending)
        taken(start)
    }

    /// The last record, behind the account of what is missing if anything is.
    func stop(_ reason: String) {
        writeGap()
        record(.stop(reason: reason))
    }

    func commit() -> Bool {
        guard !pending.isEmpty else { return true }
        if let nextFlush, pending.count < Self.batch, clock.monotonic() < nextFlush { return true }
        return flush() || !settings.critical
    }

    func takeSync() -> [SyncTarget]? {
        guard settings.durability == .sync, tookRequests, pending.isEmpty else { return nil }
        tookRequests = false
        return file.takeUnsynced()
    }

    /// The same for a sink that is closed, whatever it took.
    func takeLastSync() -> [SyncTarget]? {
        settings.durability == .sync ? file.takeUnsynced() : nil
    }

    /// Undoes the opening, before anything was recorded.
    func abandon() {
        file.trim()
        if isNew { file.remove() }
    }

    func syncEnded(_ code: Int32) -> Bool {
        guard code != 0 else {
            if let failure = syncFailure {
                // The system forgets what it could not write: a later success says nothing of the earlier records.
                let reason = "\(failure.reason); records from before may not survive a power loss"
                gap = gap ?? SinkNotice.Gap(first: failure.since, last: clock.wall(), count: 0, reason: reason)
                gap?.reason = reason
                syncFailure = nil
            }
            return false
        }
        let reason = "cannot sync: \(systemText(code))"
        lastError = reason
        guard settings.critical else { return false }
        syncFailure = syncFailure ?? (reason, clock.wall())
        close(reason)
        return true
    }

    func tick(inspects: Bool) {
        mayReserve = true
        mayRotate = true
        if inspects { inspect() }
        if writeFailure != nil { _ = flush() }
        if let nextFlush, clock.monotonic() >= nextFlush { _ = flush() }
        if closed != nil || gap != nil { recover() }
    }

    func reopen() {
        mayReserve = true
        follow()
    }

    func finish() -> Bool {
        guard pending.isEmpty || flush() else { return false }
        file.trim()
        return true
    }

    func synchronize() {
        for target in file.takeUnsynced() {
            let code = calls.synchronize(target.descriptor.number, target.isDirectory)
            if code != 0 { lastError = "cannot sync: \(systemText(code))" }
        }
    }

    var status: SinkStatus {
        SinkStatus(
            path: path, records: records, bytes: bytes, isOpen: !settings.critical || closed == nil,
            reason: closed ?? writeFailure ?? followFailure, gapCount: gap?.count ?? 0, missing: missing,
            lastError: lastError)
    }
}

// Room and gap.
extension FileSink {
    /// What the pending records and the responses of admitted requests need, one AUDIT_GAP, and the header of a file
    /// that may be begun in between.
    private var roomInUse: Int {
        encoder.header.count + pending.count + outstanding * encoder.largestAnswer + encoder.largestGap
    }

    /// The same with one more request.
    private var roomToPass: Int {
        roomInUse + encoder.largestRequest + encoder.largestAnswer
    }

    private func reserve(_ length: Int) -> String? {
        guard let shortage = file.reserve(length, mayExtend: mayReserve) else { return nil }
        mayReserve = false
        lastError = shortage
        return shortage
    }

    private func close(_ reason: String) {
        if settings.critical { closed = closed ?? reason }
    }

    /// Why an event that has no place of its own can not be recorded now. Writes the AUDIT_GAP that is due before it.
    private func obstacle() -> String? {
        if let closed { return closed }
        if let writeFailure, settings.critical || pending.count >= Self.mostPending { return writeFailure }
        guard gap != nil else { return nil }
        if settings.critical, let shortage = reserve(roomInUse + encoder.largestGap) { return shortage }
        writeGap()
        return nil
    }

    private func miss(_ time: Int64, _ reason: String) {
        seq += 1
        missing += 1
        if gap == nil { gap = SinkNotice.Gap(first: time, last: time, count: 0, reason: reason) }
        gap?.last = time
        gap?.count += 1
    }

    private func writeGap() {
        guard let gap else { return }
        self.gap = nil
        record(.gap(gap))
    }

    /// Opens the gate if everything works again, behind the record of what is missing.
    private func recover() {
        guard writeFailure == nil, followFailure == nil, syncFailure == nil else { return }
        if settings.critical, reserve(roomToPass + encoder.largestGap) != nil { return }
        writeGap()
        closed = nil
    }
}

// Writing, rotating, following.
extension FileSink {
    private func taken(_ start: Int) {
        records += 1
        if settings.durability == .none, nextFlush == nil, writeFailure == nil {
            nextFlush = clock.monotonic() + Self.longestDelay
        }
        if max(file.size, encoder.header.count) + pending.count > settings.maxFileBytes { rotate(before: start) }
    }

    /// Rotates in front of the record that begins at `start`, if there is anything in front of it.
    private func rotate(before start: Int) {
        guard settings.backupCount > 0, mayRotate, writeFailure == nil, start > 0 || file.size > encoder.header.count,
            start == 0 || write(start)
        else { return }
        switch file.rotate(backups: settings.backupCount, room: settings.critical ? roomInUse : 0) {
        case .done: break
        case .busy: mayRotate = false
        case .failed(let reason):
            mayRotate = false
            lastError = reason
        }
    }

    private func flush() -> Bool {
        if file.isShared, !file.isInPlace() { follow() }
        guard write() else { return false }
        if gap != nil, closed == nil, !settings.critical {
            writeGap()
            return write()
        }
        return true
    }

    /// One write(2) of the first `length` pending bytes, or all. What the system does not take stays, byte for byte.
    private func write(_ length: Int? = nil) -> Bool {
        let length = length ?? pending.count
        if !encoder.header.isEmpty, let reason = file.begin(with: encoder.header) {
            writeFailure = reason
            lastError = reason
            close(reason)
            return false
        }
        let taken = file.append(UnsafeBufferPointer(rebasing: pending.bytes.prefix(length)))
        if taken > 0 {
            bytes += UInt64(taken)
            isMidRecord = pending[taken - 1] != 0x0A
            pending.removeFirst(taken)
        }
        if pending.isEmpty { nextFlush = nil }
        guard taken < length else {
            writeFailure = nil
            return true
        }
        let reason =
            taken < 0
            ? "cannot write: \(systemText(Int32(-taken)))" : "only \(taken) of \(length) bytes could be written"
        writeFailure = reason
        lastError = reason
        // From here on the tick tries; a time in the past would have it tried without pause.
        nextFlush = nil
        close(reason)
        return false
    }

    private func inspect() {
        guard file.isInPlace() else { return follow() }
        followFailure = nil
        file.refresh()
    }

    /// Goes on in what stands at the path now. A record whose beginning is in the old file is ended there first.
    private func follow() {
        if isMidRecord {
            let end = pending.bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? pending.count
            guard write(end) else { return }
        }
        do {
            let opened = try file.follow(room: settings.critical ? roomToPass : 0)
            followFailure = nil
            try adjust(to: opened)
        } catch {
            followFailure = error.reason
            lastError = error.reason
            close(error.reason)
        }
    }
}
