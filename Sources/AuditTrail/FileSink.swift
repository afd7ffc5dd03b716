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
///
/// Settings that mean the same resolved path mean the same sink. Its state is visible to ``FileSink``'s other files alone.
final class FileSink: AuditSink {
    /// What a sink may hold back that is not critical, in bytes; a critical one's answers may go beyond.
    static let mostPending = 1 << 20
    /// A sink of durability `none` writes at this many bytes, or after ``longestDelay`` nanoseconds.
    static let batch = 256 * 1024
    static let longestDelay: UInt64 = 50_000_000

    private(set) var settings: FileAuditingSettings
    /// Whose `config` value the sink's own records carry.
    private var snapshot: Snapshot
    var encoder: any RecordEncoder
    let file: AuditFile
    /// Whether the file did not exist before this sink.
    private let isNew: Bool
    private let run: String
    let clock: AuditClock
    private let calls: FileCalls

    let pending = LineBuffer()
    /// Whether the first pending byte continues a record whose beginning is in the file.
    var isMidRecord = false
    /// When the bytes that wait must be written, in monotonic nanoseconds; nil when the next commit writes them.
    var nextFlush: UInt64?
    var seq: UInt64
    /// Admitted requests whose response has not come.
    var outstanding = 0
    /// Requests were taken since the last sync was asked for.
    private var tookRequests = false
    var gap: SinkNotice.Gap?

    /// Why the gate is closed.
    var closed: String?
    var writeFailure: String?
    var followFailure: String?
    var syncFailure: (reason: String, since: Int64)?
    var lastError: String?
    /// False from a failure to the next tick, so that a full disk does not cost a system call for every event.
    var mayReserve = true
    var mayRotate = true
    var records: UInt64 = 0
    var bytes: UInt64 = 0
    var missing: UInt64 = 0
    var gaps: UInt64 = 0

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
            code: .noSpace, path: name,
            reason: "\(shortage); free some space, or set 'critical: false' to run without this audit")
    }

    /// Makes a file that was just opened ready for our records: another format is moved away, and a last line without
    /// its end, torn by a power cut or a kill, gets its newline, so that it stays the only one that can not be read.
    func adjust(to opened: OpenedFile) throws(AuditError) {
        if !opened.beginning.isEmpty, !encoder.mayBegin(with: opened.beginning) {
            try moveAway(
                "it begins in another format than '\(settings.format.rawValue)'", backups: settings.backupCount)
        } else if let last = opened.lastByte, last != 0x0A {
            pending.prepend(0x0A)
        }
    }

    private func rotationIsForbidden(_ why: String) -> AuditError {
        AuditError(
            code: .otherFormat, path: name, reason: "\(why), and 'backup_count: 0' forbids to rotate; move it away")
    }

    private func moveAway(_ why: String, backups: Int) throws(AuditError) {
        guard backups > 0 else { throw rotationIsForbidden(why) }
        switch file.rotate(backups: backups, room: settings.critical ? roomToPass : 0) {
        case .done: return
        case .busy:
            throw AuditError(
                code: .otherFormat, path: name, reason: "\(why), and another process is rotating it; try again")
        case .failed(let reason):
            throw AuditError(code: .otherFormat, path: name, reason: "\(why), and it \(reason)")
        }
    }

    // MARK: Reconfiguring

    /// Tries what could go wrong with `next`, short of beginning another file, which ``turnOver(to:)`` does. Returns what
    /// undoes it.
    func prepare(_ next: FileAuditingSettings) throws(AuditError) -> () -> Void {
        let access = try FileAccess(next)
        let former = file.access
        // The open descriptor says nothing of the path: what stands there now must be a file that can be written, or a
        // reload would be reported as good and the gate close a moment later.
        _ = try OpenedFile(file.path, former)
        if needsAnotherFile(for: next), next.backupCount == 0 { throw rotationIsForbidden(Self.printedOtherwise) }
        try file.change(access)
        // Setting back what was set a moment ago: if even that fails, the file keeps the stricter check of its owner.
        return { [file] in try? file.change(former) }
    }

    /// Begins another file where `next` prints records otherwise. Comes when everything else has been accepted: a
    /// rotation cannot be undone, and reloads that are refused must not push the oldest backup out.
    func turnOver(to next: FileAuditingSettings) throws(AuditError) {
        guard needsAnotherFile(for: next) else { return }
        guard pending.isEmpty || write() else {
            throw AuditError(
                code: .otherFormat, path: name, reason: "its last records are not written: \(lastError ?? "")")
        }
        try moveAway(Self.printedOtherwise, backups: next.backupCount)
    }

    private static let printedOtherwise = "how its records are printed changes"

    private func needsAnotherFile(for next: FileAuditingSettings) -> Bool {
        !next.continues(settings) && (file.size > 0 || !pending.isEmpty)
    }

    /// Takes over settings that ``prepare(_:)`` has accepted, at a record boundary.
    func adopt(_ next: FileAuditingSettings, _ snapshot: Snapshot) {
        encoder = FormatChoice.encoder(for: next, run: run)
        settings = next
        self.snapshot = snapshot
        if !next.critical { closed = nil }
    }

    // MARK: AuditSink

    var name: String { file.path }
    /// Whether bytes wait to be written.
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

    /// Takes a record about the sink itself.
    func record(_ kind: SinkNotice.Kind) {
        let start = pending.count
        seq += 1
        encoder.encode(SinkNotice(time: clock.wall(), snapshot: snapshot, kind: kind), seq: seq, into: pending)
        taken(start)
    }

    func stop(_ reason: String) {
        writeGap()
        record(.stop(reason: reason))
    }

    /// Writes what waits, at the end of a loop turn. False when nothing may be forwarded or delivered.
    func commit() -> Bool {
        guard !pending.isEmpty else { return true }
        if let nextFlush, pending.count < Self.batch, clock.monotonic() < nextFlush { return true }
        return flush() || !settings.critical
    }

    /// What has to be synced for the requests taken since the last call; nil when none has to be waited for.
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

    /// A sync of this sink has ended with an errno, or 0. Whether it must be tried again.
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

    /// Every 100 ms: tries again what failed. `inspects` is true about once a second.
    func tick(inspects: Bool) {
        mayReserve = true
        mayRotate = true
        if inspects { inspect() }
        // Nobody asks for them before the end, and each holds a descriptor.
        if settings.durability != .sync { file.forgetFormerUnsynced() }
        if writeFailure != nil { _ = flush() }
        if let nextFlush, clock.monotonic() >= nextFlush { _ = flush() }
        if closed != nil || gap != nil { recover() }
    }

    /// Opens the path anew.
    func reopen() {
        mayReserve = true
        follow()
    }

    /// Writes all that can be written and gives room back; false when bytes are left.
    func finish() -> Bool {
        guard pending.isEmpty || flush() else { return false }
        file.trim()
        return true
    }

    /// Brings everything to the disk, on this thread.
    func synchronize() {
        for target in file.takeUnsynced() {
            let code = calls.synchronize(target.descriptor.number, target.isDirectory)
            if code != 0 { lastError = "cannot sync: \(systemText(code))" }
        }
    }

    var status: SinkStatus {
        SinkStatus(
            name: name, kind: .file, records: records, bytes: bytes, queuedBytes: pending.count,
            isOpen: !settings.critical || closed == nil, reason: closed ?? writeFailure ?? followFailure,
            gapCount: gap?.count ?? 0, gaps: gaps, missing: missing, lastError: lastError)
    }
}
