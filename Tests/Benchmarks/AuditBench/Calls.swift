import AuditTrail
import GatewayConfiguration
import GatewayEvents
import NIOCore
import ToolPolicy

/// The two records of tools/calls of some 300 bytes, as the gateway makes them for one sink of a format.
struct Calls {
    private let events: [AuditEvent]
    private let printer: RecordPrinter
    /// Bytes of one call's records.
    private(set) var bytesPerCall = 0

    /// Different ids, as a client counts them.
    private static let distinct = 1024

    init(_ format: FileAuditingSettings.Format) {
        var sink = FileAuditingSettings(outputFile: "/var/log/gatekit/audit.log")
        sink.format = format
        var settings = Settings(
            upstream: UpstreamSettings(name: "filesystem", command: ["/usr/bin/server"]),
            configPath: "/etc/gatekit/gatekit.yaml")
        settings.fileAuditing = [sink]
        let snapshot = Snapshot(
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
        printer = RecordPrinter(settings: sink, run: "00c0ffee")
        bytesPerCall = pass() / Self.distinct
    }

    /// Prints every call once and returns the bytes; flushes after 64 records, as under load.
    private func pass() -> Int {
        var bytes = 0
        for (index, event) in events.enumerated() {
            printer.print(event)
            if index & 63 == 63 { bytes += printer.flush() }
        }
        return bytes + printer.flush()
    }

    /// CPU nanoseconds of one record, on the average of `passes` times all calls.
    func measure(passes: Int) -> Double {
        let start = ThreadTime.now()
        var bytes = 0
        for _ in 0..<passes { bytes += pass() }
        let time = ThreadTime.now() - start
        precondition(bytes > passes, "nothing was printed")
        return Double(time) / Double(passes * events.count)
    }
}
