package import GatewayConfiguration
package import GatewayEvents

/// One format without a file: what a sink does between an event and its bytes. The benchmark measures it, and nothing
/// else calls it.
package final class RecordPrinter {
    private let encoder: any RecordEncoder
    private let redaction = Redaction(names: SensitiveNames(extra: []))
    private let out = LineBuffer()
    private var seq: UInt64 = 0

    /// A printer with caches of its own, as each sink has one.
    package init(settings: FileAuditingSettings, run: String) {
        encoder = FormatChoice.encoder(for: settings, run: run)
    }

    /// Appends the record of `event` under the next `seq`.
    package func print(_ event: AuditEvent) {
        seq += 1
        encoder.encode(event, redaction: redaction, seq: seq, into: out)
    }

    /// Forgets what was printed and says how many bytes it was, as a write does.
    package func flush() -> Int {
        defer { out.truncate(to: 0) }
        return out.count
    }
}
