import GatewayConfiguration
import GatewayEvents
import Systemd

/// Events as entries of the system journal: of policy `journal_auditing`, or the tool-call log where stderr is the
/// journal. Gives each entry its `seq` and hands it to the process's one writer.
///
/// What the writer's queue does not take is counted, and told by an AUDIT_GAP once a quarter of the queue is free
/// again, so that a full queue does not bring one gap for each place that gets free. The gate of a critical sink closes
/// while the journal can not be reached or the queue lacks room for the answers to come; calls that were admitted
/// before are still recorded as long as there is room at all.
final class JournalSink: StreamSink {
    let name: String
    private var settings: JournalAuditingSettings
    private let isToolCallLog: Bool
    private var printer: JournalPrinter
    /// Whose `config` value the sink's own records carry.
    private var snapshot: Snapshot
    private let run: String
    private let clock: AuditClock
    private let writer: JournalWriter

    private(set) var seq: UInt64
    /// Admitted requests whose response has not come.
    private var outstanding = 0
    private var gap: SinkNotice.Gap?
    /// Why the gate is closed.
    private var closed: String?
    private var lastError: String?
    private var records: UInt64 = 0
    private var bytes: UInt64 = 0
    private var missing: UInt64 = 0
    private var gaps: UInt64 = 0
    private var seenDropped: UInt64 = 0
    private var seenLost: UInt64 = 0

    private static let wentAway = "journald went away; what it had not read is lost, and the holes in seq show it"

    /// What the gate keeps free: room for other events, and an entry's usual size for each answer that is due. An
    /// estimate, and enough of one: the journal promises nothing for what it has taken either.
    private static let slack = 64 * 1024
    private static let usualEntry = 2048

    /// The name of the tool-call log where it goes to the journal.
    static let toolCallLogName = "tool-call log (journal)"

    /// What tells two sinks apart.
    static func name(_ settings: JournalAuditingSettings) -> String { "journal:\(settings.identifier)" }

    /// The mirror of policy `journal_auditing`.
    init(
        _ settings: JournalAuditingSettings, snapshot: Snapshot, run: String, after seq: UInt64, clock: AuditClock,
        writer: JournalWriter, name: String? = nil
    ) {
        self.name = name ?? Self.name(settings)
        isToolCallLog = name != nil
        self.settings = settings
        self.snapshot = snapshot
        self.run = run
        self.seq = seq
        self.clock = clock
        self.writer = writer
        printer = JournalPrinter(settings, run: run, isToolCallLog: isToolCallLog)
        seenDropped = writer.status.dropped
        seenLost = writer.status.lostConnections
        // A reload may be the first to need it.
        writer.start()
    }

    /// The tool-call log, as entries.
    convenience init(
        toolCallLogOf snapshot: Snapshot, run: String, after seq: UInt64, clock: AuditClock, writer: JournalWriter
    ) {
        var settings = JournalAuditingSettings()
        settings.format = .tool
        settings.mode = .tools
        self.init(
            settings, snapshot: snapshot, run: run, after: seq, clock: clock, writer: writer,
            name: Self.toolCallLogName)
    }

    /// Takes over the settings of a new generation.
    func adopt(_ next: JournalAuditingSettings, _ snapshot: Snapshot) {
        if next != settings { printer = JournalPrinter(next, run: run, isToolCallLog: isToolCallLog) }
        settings = next
        self.snapshot = snapshot
        if !next.critical { closed = nil }
    }

    /// Takes a new generation whose settings are the same.
    func follow(_ snapshot: Snapshot) {
        self.snapshot = snapshot
    }

    // MARK: AuditSink

    func refusal() -> String? {
        guard settings.critical else { return nil }
        if closed == nil { closed = obstacle() }
        if let closed { miss(clock.wall(), closed) }
        return closed
    }

    func record(_ event: AuditEvent, as role: RecordRole, redaction: Redaction) {
        switch role {
        case .admitted: outstanding += 1
        // A call may have been admitted before this sink was opened.
        case .answer: outstanding = max(0, outstanding - 1)
        case .free: break
        }
        // While the gate is closed the gap grows; what is recorded meanwhile stands in front of it.
        if gap != nil, closed == nil, !closeGap() { return miss(event.time, gap?.reason ?? "") }
        printer.print(event, redaction: redaction, seq: nextSeq) { entry in
            if offer(entry) { return }
            // The number is used up already.
            seq -= 1
            miss(event.time, fullQueue)
            if settings.critical { closed = closed ?? fullQueue }
        }
    }

    /// Opens the sink's account, except of the tool-call log, which holds nothing but calls.
    func start(version: String) {
        if !isToolCallLog { note(.start(version: version, settings: .journal(settings))) }
    }

    func stop(_ reason: String) {
        _ = closeGap(evenIfFull: true)
        if !isToolCallLog { note(.stop(reason: reason)) }
    }

    func tick() {
        noteDropped()
        if closed != nil, obstacle() == nil { closed = nil }
        if closed == nil { _ = closeGap() }
    }

    var hasPending: Bool { false }

    /// Nothing to do: entries are on their way already.
    func commit() {}

    var status: SinkStatus {
        let writer = writer.status
        return SinkStatus(
            name: name, kind: isToolCallLog ? .toolCallLog : .journal, records: records, bytes: bytes,
            queuedBytes: writer.queuedBytes, isOpen: closed == nil,
            reason: closed ?? (writer.isConnected ? nil : writer.lastError), gapCount: gap?.count ?? 0, gaps: gaps,
            missing: missing, lastError: lastError ?? writer.lastError)
    }

    // MARK: Inside

    /// What the courier gave up, told by the writer for all who use it: here it shows as missing. `seq` has its holes.
    private func noteDropped() {
        let status = writer.status
        // Told when there is somebody to tell it to.
        if status.lostConnections > seenLost, status.isConnected {
            seenLost = status.lostConnections
            // Not counted as missing: nobody knows how many it had not read. The holes in `seq` tell who looks.
            let now = clock.wall()
            if gap == nil { gap = SinkNotice.Gap(first: now, last: now, count: 0, reason: Self.wentAway) }
            gap?.reason = Self.wentAway
        }
        let dropped = status.dropped
        guard dropped > seenDropped else { return }
        if !isToolCallLog { missing += dropped - seenDropped }
        seenDropped = dropped
        lastError = "the journal refused \(dropped) entries: \(writer.status.lastError ?? "no reason")"
    }

    private var fullQueue: String { "the journal's queue of \(writer.capacity) bytes is full" }

    /// Why a request can not pass now.
    private func obstacle() -> String? {
        guard writer.isConnected else { return writer.status.lastError ?? "the journal is not connected" }
        let needed = min(Self.slack, writer.capacity / 4) + outstanding * Self.usualEntry
        return writer.freeBytes >= needed ? nil : fullQueue
    }

    private func nextSeq() -> UInt64 {
        seq += 1
        return seq
    }

    private func offer(_ entry: borrowing JournalEntry) -> Bool {
        guard writer.offer(entry) else {
            lastError = fullQueue
            return false
        }
        records += 1
        bytes += UInt64(entry.bytes.count)
        return true
    }

    /// A record about the sink itself; without room it is missing like an event.
    private func note(_ kind: SinkNotice.Kind) {
        let time = clock.wall()
        printer.print(SinkNotice(time: time, snapshot: snapshot, kind: kind), seq: nextSeq()) { entry in
            if offer(entry) { return }
            seq -= 1
            miss(time, fullQueue)
        }
    }

    private func miss(_ time: Int64, _ reason: String) {
        seq += 1
        missing += 1
        if gap == nil { gap = SinkNotice.Gap(first: time, last: time, count: 0, reason: reason) }
        gap?.last = time
        gap?.count += 1
    }

    /// Writes the AUDIT_GAP that is due, if one is. False when it can not be written yet.
    private func closeGap(evenIfFull: Bool = false) -> Bool {
        guard let gap else { return true }
        guard evenIfFull || writer.freeBytes >= writer.capacity / 4 else { return false }
        var isTaken = false
        printer.print(SinkNotice(time: clock.wall(), snapshot: snapshot, kind: .gap(gap)), seq: seq + 1) { entry in
            isTaken = offer(entry)
        }
        guard isTaken else { return false }
        seq += 1
        gaps += 1
        self.gap = nil
        return true
    }
}
