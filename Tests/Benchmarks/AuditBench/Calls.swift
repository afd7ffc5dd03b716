import AuditTrail
import GatewayConfiguration
import GatewayEvents
import NIOCore
import ToolPolicy

/// The events of tools/calls of some 300 bytes, as the gateway makes them: of each call its REQUEST and its RESPONSE.
struct Calls {
    let snapshot: Snapshot
    let events: [AuditEvent]

    /// Different ids, as a client counts them.
    static let distinct = 1024

    /// As for a configuration that writes `files` and, with `journal`, the journal.
    init(files: [FileAuditingSettings], journal: JournalAuditingSettings? = nil) {
        var settings = Settings(
            upstream: UpstreamSettings(name: "filesystem", command: ["/usr/bin/server"]),
            configPath: "/etc/gatekit/gatekit.yaml")
        settings.fileAuditing = files
        settings.journalAuditing = journal
        snapshot = Snapshot(
            generation: 1, configHash: "abcd1234", settings: settings, policies: PolicyChain())
        let session = SessionIdentity(
            sessionID: "0123456789abcdef", transport: "unix", peer: "uid=1000 gid=1000 pid=4242",
            clientName: "claude-desktop", clientVersion: "1.0.2")
        let params = ByteBuffer(
            string: """
                {"name":"read_file","arguments":{"path":"/srv/sandbox/reports/2026/quarterly-summary.md",\
                "encoding":"utf-8","max_bytes":65536,"follow_links":false,"ranges":[[0,4096],[8192,12288]]},\
                "_meta":{"progressToken":"tok-1042","trace":"00-4bf92f3577b34da6a3ce929d0e0e4736"}}
                """)
        let result = ByteBuffer(
            string: #"{"content":[{"type":"text","text":"Revenue rose by a tenth; see the table below."}]}"#)
        var events: [AuditEvent] = []
        for index in 0..<Self.distinct {
            let call = AuditEvent.Call(
                requestID: String(1000 + index), method: "tools/call", tool: "read_file",
                params: snapshot.recordsParams ? params : nil)
            let outcome = AuditEvent.Outcome(
                duration: 892_000 + UInt64(index) * 10_000, result: snapshot.recordsResults ? result : nil)
            // A thousand calls in 12 ms, hence in one or two seconds' worth of timestamps.
            let time = 1_718_533_815_123_456_000 + Int64(index) * 12_000
            for (kind, later) in [
                (AuditEvent.Kind.request(call, plugin: "tool_allowlist"), 0), (.response(call, outcome), 6000),
            ] {
                events.append(AuditEvent(time: time + Int64(later), snapshot: snapshot, session: session, kind: kind))
            }
        }
        self.events = events
    }
}
