import Gateway
import GatewayConfiguration
import GatewayEvents
import MCPRouting
import Testing
import ToolPolicy

@testable import AuditTrail
@testable import Telemetry

@Suite("Metrics")
struct MetricsTests {
    private static let snapshot = Snapshot(
        generation: 3, configHash: "abcd1234", settings: .init(upstream: .init(command: ["true"]), configPath: "/c"),
        policies: .init())

    private static func session(_ id: String? = "0123456789abcdef", _ transport: String = "unix") -> SessionIdentity {
        SessionIdentity(sessionID: id, transport: transport, peer: "p", clientName: nil, clientVersion: nil)
    }

    private static func event(
        _ kind: AuditEvent.Kind, at seconds: Int64 = 0, session: SessionIdentity? = nil
    ) -> AuditEvent {
        AuditEvent(time: seconds * 1_000_000_000, snapshot: snapshot, session: session, kind: kind)
    }

    private static func call(_ tool: String? = "echo", method: String = "tools/call") -> AuditEvent.Call {
        AuditEvent.Call(requestID: "1", method: method, tool: tool)
    }

    private static func answer(
        _ failure: AuditEvent.Failure? = nil, tool: String? = "echo", method: String = "tools/call",
        milliseconds: UInt64 = 3
    ) -> AuditEvent {
        event(
            .response(
                call(tool, method: method), AuditEvent.Outcome(duration: milliseconds * 1_000_000, failure: failure)))
    }

    private static func reload(_ result: ReloadOutcome.Result) -> ReloadOutcome {
        ReloadOutcome(
            result: result, began: 0, time: 0, duration: 0, generation: 3, configHash: "abcd1234",
            candidateHash: "abcd1234", environmentSource: .none)
    }

    private static var sources: MetricsSources {
        MetricsSources(
            version: "1.2.3", counts: Router(snapshot: snapshot, version: "1").counts, generation: 3,
            configHash: "abcd1234", upstream: UpstreamStatus(state: .ready), sinks: [], lastReload: nil,
            droppedLogLines: 4)
    }

    /// The samples, by name and labels.
    private static func samples(_ metrics: Metrics, _ sources: MetricsSources = sources) -> [String: String] {
        let text = String(decoding: metrics.exposition(sources).bytes, as: UTF8.self)
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        return Dictionary(
            uniqueKeysWithValues: lines.map { line in
                let space = line.lastIndex(of: " ") ?? line.endIndex
                return (String(line[..<space]), String(line[space...].dropFirst()))
            })
    }

    @Test("counts a call once, when it has ended, by tool, method and outcome")
    func calls() {
        let metrics = Metrics(began: 0)
        metrics.observe(Self.event(.request(Self.call(), plugin: nil)))
        #expect(Self.samples(metrics)[#"gatekit_tool_calls_total{gen_ai_tool_name="echo",outcome="success"}"#] == nil)
        metrics.observe(Self.answer())
        metrics.observe(Self.answer(AuditEvent.Failure(code: nil, message: "x"), milliseconds: 40))
        metrics.observe(Self.answer(tool: nil, method: "tools/list"))
        metrics.observe(Self.answer(tool: nil, method: "made/up"))
        let samples = Self.samples(metrics)
        #expect(samples[#"gatekit_tool_calls_total{gen_ai_tool_name="echo",outcome="success"}"#] == "1")
        #expect(samples[#"gatekit_tool_calls_total{gen_ai_tool_name="echo",outcome="tool_error"}"#] == "1")
        #expect(samples[#"gatekit_tool_call_duration_seconds_sum{gen_ai_tool_name="echo"}"#] == "0.043")
        let prefix = "mcp_server_operation_duration_seconds"
        #expect(samples[prefix + #"_count{mcp_method_name="tools/call"}"#] == "1")
        #expect(samples[prefix + #"_bucket{mcp_method_name="tools/call",error_type="tool_error",le="0.02"}"#] == "0")
        #expect(samples[prefix + #"_bucket{mcp_method_name="tools/call",error_type="tool_error",le="0.05"}"#] == "1")
        #expect(samples[prefix + #"_count{mcp_method_name="tools/list"}"#] == "1")
        #expect(samples[prefix + #"_count{mcp_method_name="_OTHER"}"#] == "1")
    }

    @Test(
        "what the gateway ended has its reason, and what the upstream refused its code",
        arguments: [
            (-32603, "timeout", "timeout"), (nil, "cancelled", "cancelled"),
            (-32603, "upstream_exited", "upstream_exited"),
            (-32603, "upstream_unavailable", "upstream_unavailable"), (-32603, "connection_lost", "connection_lost"),
            (-32603, "too_large", "too_large"), (-32603, "shutting_down", "shutting_down"),
            (-32603, "overloaded", "overloaded"), (-32603, "new_reason", "_OTHER"), (nil, nil, "tool_error"),
            (-32602, nil, "-32602"), (-32601, nil, "-32601"), (-32603, nil, "-32603"), (-1, nil, "_OTHER"),
        ] as [(Int?, String?, String)])
    func outcomes(code: Int?, reason: String?, label: String) {
        #expect(CallOutcome(AuditEvent.Failure(code: code, message: "", reason: reason)).label == label)
    }

    @Test("a refusal counts for its policy and its tool")
    func blocks() {
        let metrics = Metrics(began: 0)
        let block = AuditEvent.Block(plugin: "tool_allowlist", reason: "r", summary: "s", metadata: [])
        metrics.observe(Self.event(.securityBlock(Self.call("rm"), block)))
        let samples = Self.samples(metrics)
        #expect(samples[#"gatekit_blocked_messages_total{policy="tool_allowlist"}"#] == "1")
        #expect(samples[#"gatekit_tool_calls_total{gen_ai_tool_name="rm",outcome="blocked"}"#] == "1")
        #expect(samples[#"gatekit_tool_call_duration_seconds_count{gen_ai_tool_name="rm"}"#] == nil)
    }

    @Test("a session counts when it begins, and its time when it ends, also under another identity")
    func sessions() {
        let metrics = Metrics(began: 0)
        metrics.observe(Self.event(.sessionStart(note: nil), at: 100, session: Self.session()))
        metrics.observe(Self.event(.sessionEnd(reason: "eof"), at: 107, session: Self.session()))
        // One that began before anything was counted, and a request without a session.
        metrics.observe(Self.event(.sessionEnd(reason: "eof"), at: 107, session: Self.session("fedcba9876543210")))
        metrics.observe(Self.event(.sessionStart(note: nil), session: Self.session(nil, "http")))
        metrics.observe(Self.event(.sessionStart(note: nil), session: Self.session("a", "stdio")))
        metrics.connectionRefused()
        let samples = Self.samples(metrics)
        #expect(samples[#"gatekit_sessions_total{network_transport="unix"}"#] == "1")
        #expect(samples[#"gatekit_sessions_total{network_transport="pipe"}"#] == "1")
        #expect(samples[#"gatekit_sessions_total{network_transport="tcp"}"#] == "0")
        #expect(samples[#"mcp_server_session_duration_seconds_sum{network_transport="unix"}"#] == "7")
        #expect(samples[#"mcp_server_session_duration_seconds_count{network_transport="unix"}"#] == "1")
        #expect(samples["gatekit_refused_connections_total"] == "1")
    }

    @Test("the other events each have their counter")
    func others() {
        let metrics = Metrics(began: 1_700_000_000_500_000_000)
        metrics.observe(Self.event(.toolsFiltered(Self.call(nil, method: "tools/list"), plugin: "p", count: 3)))
        metrics.observe(Self.event(.serverRequest(Self.call(nil, method: "roots/list"))))
        metrics.observe(Self.event(.notification(method: "m", tool: nil, direction: .fromUpstream, note: nil)))
        metrics.observe(Self.event(.invalidMessage(direction: .fromClient, reason: "r", offset: 0, length: 1)))
        metrics.observe(Self.event(.upstreamStart(pid: 1, program: "p", restart: 0)))
        metrics.observe(Self.event(.upstreamExit(pid: 1, program: "p", restart: 0, status: "exit 1")))
        metrics.observe(Self.event(.upstreamStart(pid: 2, program: "p", restart: 1)))
        for result in [ReloadOutcome.Result.applied, .refused, .refused] {
            metrics.observe(Self.event(.configReload(Self.reload(result), formerHash: "x")))
        }
        var sources = Self.sources
        sources.lastReload = Self.reload(.refused)
        let samples = Self.samples(metrics, sources)
        let expected = [
            "gatekit_filtered_tools_total": "3", "gatekit_server_requests_total": "1",
            #"gatekit_notifications_total{from="upstream"}"#: "1", #"gatekit_notifications_total{from="client"}"#: "0",
            #"gatekit_invalid_messages_total{from="client"}"#: "1", "gatekit_upstream_starts_total": "2",
            "gatekit_upstream_restarts_total": "1", "gatekit_upstream_exits_total": "1",
            #"gatekit_reloads_total{result="applied"}"#: "1", #"gatekit_reloads_total{result="unchanged"}"#: "0",
            #"gatekit_reloads_total{result="refused"}"#: "2", "gatekit_config_last_reload_successful": "0",
            "gatekit_config_generation": "3", #"gatekit_config_info{hash="abcd1234"}"#: "1",
            #"gatekit_upstream_state{state="ready"}"#: "1", #"gatekit_upstream_state{state="failed"}"#: "0",
            "gatekit_dropped_log_lines_total": "4", #"gatekit_build_info{version="1.2.3"}"#: "1",
            "gatekit_metrics_start_time_seconds": "1700000000.5",
        ]
        for (name, value) in expected { #expect(samples[name] == value, "\(name)") }
    }

    @Test("every sink has its lines, whatever its path holds")
    func sinks() {
        var sources = Self.sources
        sources.sinks = [
            SinkStatus(
                name: "/var/log/\"a\".log", kind: .file, records: 10, bytes: 2000, queuedBytes: 30, isOpen: false,
                reason: "disk full", gapCount: 1, gaps: 2, missing: 5, lastError: nil)
        ]
        let samples = Self.samples(Metrics(began: 0), sources)
        let labels = #"{kind="file",sink="/var/log/\"a\".log"}"#
        let expected = [
            "records_total": "10", "bytes_total": "2000", "queued_bytes": "30", "missing_total": "5", "gaps_total": "2",
            "open": "0",
        ]
        for (name, value) in expected { #expect(samples["gatekit_audit_\(name)\(labels)"] == value, "\(name)") }
    }

    @Test("what the gateway held counts for every message, by direction")
    func held() {
        let metrics = Metrics(began: 0)
        metrics.held(3, for: 20_000, .toUpstream)
        metrics.held(1, for: 2_000_000_000, .toClient)
        let samples = Self.samples(metrics)
        let name = "gatekit_added_latency_seconds"
        #expect(samples["\(name)_bucket{direction=\"to_upstream\",le=\"0.00001\"}"] == "0")
        #expect(samples["\(name)_bucket{direction=\"to_upstream\",le=\"0.000025\"}"] == "3")
        #expect(samples["\(name)_sum{direction=\"to_upstream\"}"] == "0.00006")
        #expect(samples["\(name)_bucket{direction=\"to_client\",le=\"1\"}"] == "0")
        #expect(samples["\(name)_count{direction=\"to_client\"}"] == "1")
    }

    @Test("every family is described once, in front of all its samples")
    func families() {
        let metrics = Metrics(began: 0)
        metrics.observe(Self.answer())
        let lines = String(decoding: metrics.exposition(Self.sources).bytes, as: UTF8.self).split(separator: "\n")
        var described: Set<Substring> = []
        var current: Substring = ""
        for line in lines {
            if line.hasPrefix("# HELP ") {
                current = line.dropFirst(7).prefix { $0 != " " }
                #expect(described.insert(current).inserted, "\(current)")
            } else if !line.hasPrefix("#") {
                #expect(line.hasPrefix(current), "\(line)")
            }
        }
        #expect(described.count > 25)
    }
}
