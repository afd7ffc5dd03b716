import GatewayEvents
import Testing

@testable import ControlPlane

@Suite("Status as text and JSON")
struct StatusTextTests {
    @Test("stands in columns")
    func calm() {
        #expect(
            StatusReport.example().text
                == """
                gatekit 0.1.0 is running: pid 1, up 2 h 14 min
                  upstream    filesystem: ready (pid 15590), legacy era, 1 restart
                  transport   unix /run/gatekit/mcp.sock
                  sessions    3, 1 request pending
                  config      /etc/gatekit/gatekit.yaml, generation 4, hash 1a2b3c4d
                  reload      none yet
                  env         live: /etc/gatekit/.env
                  audit       /var/log/gatekit/audit.log (file, json): 1204 records, 403.1 KiB
                  sanitizer   off

                """.replacing("pid 1,", with: "pid \(StatusReport.example().pid),"))
    }

    @Test("tells trouble first")
    func trouble() {
        var report = StatusReport.example(pid: 7)
        report.state = .stopping
        report.upstream.state = .failed
        report.upstream.pid = nil
        report.upstream.reason = "npx: not found"
        report.upstream.ownProcesses = 2
        report.lastReload = StatusReport.LastReload(
            .example(.refused, problems: ["g.yaml:1:1: no"], notes: ["--transport is set"]))
        report.audit[0].isOpen = false
        report.audit[0].reason = "disk full"
        report.audit[0].missing = 2
        report.audit.append(
            StatusReport.Sink(
                name: "journal", kind: "journal", format: nil, records: 1, bytes: 17, queuedBytes: 3,
                reason: "not reachable",
                lastError: "sendmsg"))
        report.logLinesDropped = 12
        report.sanitization = StatusReport.Sanitization(stages: ["invisible"], responses: 2, invisible: 1, markup: 3)
        report.watchdog = StatusReport.Watchdog(intervalSeconds: 15)
        report.warnings = ["output sanitisation is switched off"]
        #expect(
            report.text == """
                gatekit 0.1.0 is ending: pid 7, up 2 h 14 min
                  TROUBLE     upstream filesystem is failed: npx: not found
                  TROUBLE     audit /var/log/gatekit/audit.log takes no records, requests are refused: disk full
                  TROUBLE     audit journal: not reachable
                  TROUBLE     the last reload was refused, generation 4 is still enforced
                  warning     output sanitisation is switched off
                  upstream    filesystem: failed, legacy era, 1 restart, 2 sessions with a process of their own
                  transport   unix /run/gatekit/mcp.sock
                  sessions    3, 1 request pending
                  config      /etc/gatekit/gatekit.yaml, generation 4, hash 1a2b3c4d
                  reload      refused at 2026-01-02T03:04:05.000006Z, took 4.2 ms
                              g.yaml:1:1: no
                              note: --transport is set
                  env         live: /etc/gatekit/.env
                  audit       /var/log/gatekit/audit.log (file, json): 1204 records, 403.1 KiB, 2 missing
                  audit       journal: 1 record, 17 B, 3 B queued, last error: sendmsg
                  sanitizer   invisible: 2 answers changed (1 invisible character, 3 of markup, 0 code fences)
                  log         12 lines dropped
                  watchdog    every 15.0 s

                """)
    }

    @Test("shows the process for sessions of the other era")
    func second() {
        var report = StatusReport.example(pid: 7)
        report.upstream.second = StatusReport.Upstream.Second(
            state: .ready, pid: 9, restarts: 0, era: "modern (2026-07-28)")
        #expect(
            report.text.contains(
                "filesystem: ready (pid 15590), legacy era, 1 restart; "
                    + "second process: ready (pid 9), modern (2026-07-28) era, 0 restarts\n"))
    }

    @Test("has every key in JSON, with null where there is no value")
    func keys() throws {
        let line = String(decoding: try ControlJSON.line(StatusReport.example(pid: 7)), as: UTF8.self)
        #expect(
            line == #"{"audit":[{"bytes":412800,"format":"json","is_open":true,"kind":"file","last_error":null,"#
                + #""missing":0,"name":"/var/log/gatekit/audit.log","queued_bytes":0,"reason":null,"records":1204}],"#
                + #""config":{"generation":4,"hash":"1a2b3c4d"},"config_path":"/etc/gatekit/gatekit.yaml","#
                + #""env":{"path":"/etc/gatekit/.env","source":"live"},"last_reload":null,"log_lines_dropped":0,"#
                + #""pending":1,"pid":7,"refused_restart":null,"sanitization":{"code_fences":0,"invisible":0,"markup":0,"responses":0,"stages":[]},"sessions":3,"started_at":"2026-01-02T03:04:05.000006Z","state":"running","#
                + #""transports":[{"address":"/run/gatekit/mcp.sock","name":"unix","path":"/run/gatekit/mcp.sock"}],"#
                + #""upstream":{"era":"legacy","max_dedicated":16,"name":"filesystem","own_pids":[],"own_processes":0,"#
                + #""pid":15590,"reason":null,"restarts":1,"second":null,"sessions":"shared","state":"ready"},"uptime_s":8040,"version":"0.1.0","warnings":[],"watchdog":null}"#
        )
    }

    @Test(
        "counts time as people do",
        arguments: [
            (0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3600, "1 h 0 min"), (86400 * 3 + 3600 * 4, "3 d 4 h"),
        ])
    func seconds(_ value: Int, _ text: String) {
        #expect(PlainText.seconds(value) == text)
    }

    @Test(
        "counts bytes as people do",
        arguments: [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 20, "3.0 MiB"), (5 << 40, "5120.0 GiB")])
    func bytes(_ value: UInt64, _ text: String) {
        #expect(PlainText.bytes(value) == text)
    }

    @Test(
        "tells the time in UTC with six decimals",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000000Z"), (1_767_323_045_000_006_999, "2026-01-02T03:04:05.000006Z"),
        ])
    func time(_ nanoseconds: Int64, _ text: String) {
        #expect(ControlTime.text(nanoseconds) == text)
    }
}
