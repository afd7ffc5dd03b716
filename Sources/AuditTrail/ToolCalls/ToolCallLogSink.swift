import GatewayConfiguration
import GatewayEvents

/// The tool-call log on stderr: raw lines that begin with `[TOOL `, exactly as format `tool` prints them.
///
/// It gates nothing. Lines that stderr does not take wait, up to ``mostPending`` bytes; what comes beyond is counted and
/// told by a line that begins with `[WARNING]`.
final class ToolCallLogSink: StreamSink {
    /// What may wait for a reader of stderr, in bytes.
    static let mostPending = 256 * 1024

    static let name = "tool-call log (stderr)"
    var name: String { Self.name }

    private let encoder: ToolRecordEncoder
    private let write: @Sendable (UnsafeRawBufferPointer) -> Int
    private let pending = LineBuffer()
    private let scratch = LineBuffer(capacity: 512)
    private(set) var seq: UInt64
    private var records: UInt64 = 0
    private var bytes: UInt64 = 0
    private var missing: UInt64 = 0
    private var gapCount: UInt64 = 0
    private var gaps: UInt64 = 0

    init(run: String, after seq: UInt64, write: @escaping @Sendable (UnsafeRawBufferPointer) -> Int) {
        // Not a file: the format's settings are what counts.
        var settings = FileAuditingSettings(outputFile: "")
        settings.format = .tool
        settings.mode = .tools
        encoder = ToolRecordEncoder(settings: settings, run: run)
        self.seq = seq
        self.write = write
    }

    // MARK: AuditSink

    func refusal() -> String? { nil }

    func record(_ event: AuditEvent, as role: RecordRole, redaction: Redaction) {
        seq += 1
        scratch.truncate(to: 0)
        encoder.encode(event, redaction: redaction, seq: seq, into: scratch)
        guard pending.count + scratch.count <= Self.mostPending else {
            missing += 1
            gapCount += 1
            return
        }
        tellGap()
        pending.append(scratch)
        records += 1
    }

    func start(version: String) {}

    func stop(_ reason: String) {
        tellGap()
        commit()
    }

    var hasPending: Bool { !pending.isEmpty }

    func commit() {
        guard !pending.isEmpty else { return }
        let taken = write(UnsafeRawBufferPointer(pending.bytes))
        bytes += UInt64(taken)
        pending.removeFirst(taken)
    }

    func tick() {
        // The end of a line that stderr took in part only.
        if pending.isEmpty { _ = write(UnsafeRawBufferPointer(start: nil, count: 0)) }
        // Not while a single line may get free: a slow reader would get one warning for each.
        if pending.count <= Self.mostPending / 2 { tellGap() }
    }

    var status: SinkStatus {
        SinkStatus(
            name: name, kind: .toolCallLog, records: records, bytes: bytes, queuedBytes: pending.count, isOpen: true,
            reason: gapCount > 0 ? Self.unread : nil, gapCount: gapCount, gaps: gaps, missing: missing,
            lastError: missing > 0 ? Self.unread : nil)
    }

    private static let unread = "stderr was not read"

    private func tellGap() {
        guard gapCount > 0 else { return }
        pending.append("[WARNING] gatekit.audit: ")
        pending.append(decimal: gapCount)
        pending.append(" records of the tool-call log are missing: stderr was not read\n")
        gapCount = 0
        gaps += 1
    }
}
