import GatewayConfiguration
import GatewayEvents

@testable import AuditTrail

/// Encodes without a file: what a format makes of an event.
struct FormatScene {
    let settings: FileAuditingSettings
    let snapshot: Snapshot
    let encoder: any RecordEncoder
    let session: SessionIdentity?
    let redaction = Redaction(names: SensitiveNames(extra: []))

    static let client = SessionIdentity(
        sessionID: "0123456789abcdef", transport: "unix", peer: "uid=1000 gid=1000 pid=4242",
        clientName: "Claude Desktop", clientVersion: "1.2")

    /// 2024-06-16 10:30:15.123456 UTC.
    static let time: Int64 = 1_718_533_815_123_456_000

    init(
        _ format: FileAuditingSettings.Format, name: String? = "filesystem", session: SessionIdentity? = Self.client,
        change: (inout FileAuditingSettings) -> Void = { _ in }
    ) {
        var settings = FileAuditingSettings(outputFile: "/var/log/audit.log")
        settings.format = format
        change(&settings)
        self.settings = settings
        self.session = session
        snapshot = Scene.snapshot(1, [settings], name: name)
        encoder = FormatChoice.encoder(for: settings, run: "00c0ffee")
    }

    func bytes(_ kind: AuditEvent.Kind, seq: UInt64 = 2) -> LineBuffer {
        let out = LineBuffer()
        encoder.encode(
            AuditEvent(time: Self.time, snapshot: snapshot, session: session, kind: kind), redaction: redaction,
            seq: seq, into: out)
        return out
    }

    /// The record without its newline.
    func line(_ kind: AuditEvent.Kind) -> String {
        Self.text(bytes(kind))
    }

    func line(_ notice: SinkNotice.Kind) -> String {
        let out = LineBuffer()
        encoder.encode(SinkNotice(time: Self.time, snapshot: snapshot, kind: notice), seq: 1, into: out)
        return Self.text(out)
    }

    private static func text(_ out: LineBuffer) -> String {
        precondition(out.bytes.last == 0x0A, "a record ends with a newline")
        return String(decoding: out.bytes.dropLast(), as: UTF8.self)
    }
}
