package import GatewayConfiguration
package import GatewayEvents
package import Systemd

/// One sink of the journal without a trail: what the loop does between an event and the writer's queue. The benchmark
/// measures it, and nothing else calls it.
package final class JournalProbe {
    private let sink: JournalSink
    private let redaction = Redaction(names: SensitiveNames(extra: []))

    /// A sink with caches of its own; starts `writer`.
    package init(settings: JournalAuditingSettings, snapshot: Snapshot, run: String, writer: JournalWriter) {
        sink = JournalSink(settings, snapshot: snapshot, run: run, after: 0, clock: .system, writer: writer)
    }

    /// Prints the entry of `event` and queues it.
    package func record(_ event: AuditEvent) {
        guard let role = FileAuditingSettings.Mode.all.role(of: event.kind) else { return }
        sink.record(event, as: role, redaction: redaction)
    }

    /// Bytes that the queue has taken.
    package var bytes: UInt64 { sink.status.bytes }
    /// Events that it has not.
    package var missing: UInt64 { sink.status.missing }
}
