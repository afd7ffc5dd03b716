import GatewayConfiguration
import GatewayEvents
import NIOCore
import Testing

@testable import AuditTrail

/// The json format's table: it is the public interface. A change here is a change for every log reader.
@Suite("json lines")
struct JSONLineTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let kind: AuditEvent.Kind
        let line: String
        var testDescription: String { line }
    }

    static let call = AuditEvent.Call(requestID: "123", method: "tools/call", tool: "write_file")
    static let plain = AuditEvent.Call(requestID: "7", method: "initialize", tool: nil)
    static let list = AuditEvent.Call(requestID: "125", method: "tools/list", tool: nil)
    static let context =
        #""server_name": "files", "session_id": "0123456789abcdef", "client_name": "claude", "client_version": "1.2", "#
        + #""peer": "stdio", "config": "1:abcd1234", "run": "00c0ffee", "seq": 2}"#

    static let cases: [Case] = [
        Case(
            kind: .request(call, plugin: "tool_allowlist"),
            line: #""event_type": "REQUEST", "method": "tools/call", "tool": "write_file", "status": "ALLOWED", "#
                + #""request_id": "123", "plugin": "tool_allowlist""#),
        Case(
            kind: .request(plain, plugin: nil),
            line: #""event_type": "REQUEST", "method": "initialize", "status": "ALLOWED", "request_id": "7""#),
        Case(
            kind: .response(call, AuditEvent.Outcome(duration: 892_999_999)),
            line: #""event_type": "RESPONSE", "status": "success", "request_id": "123", "duration_ms": 892, "#
                + #""method": "tools/call", "tool": "write_file""#),
        Case(
            kind: .response(
                call,
                AuditEvent.Outcome(
                    duration: 999_999,
                    failure: AuditEvent.Failure(code: -32603, message: "no answer\nin time", reason: "timeout"))),
            line: #""event_type": "RESPONSE", "status": "error", "request_id": "123", "duration_ms": 0, "#
                + #""method": "tools/call", "tool": "write_file", "error_code": -32603, "#
                + #""error_message": "no answer", "error_reason": "timeout""#),
        Case(
            kind: .response(
                call,
                AuditEvent.Outcome(duration: 0, failure: AuditEvent.Failure(code: nil, message: "ENOENT: no such file"))
            ),
            line: #""event_type": "RESPONSE", "status": "error", "request_id": "123", "duration_ms": 0, "#
                + #""method": "tools/call", "tool": "write_file", "error_message": "ENOENT: no such file""#),
        Case(
            kind: .response(call, AuditEvent.Outcome(duration: 0, sanitized: Scene.removed)),
            line: #""event_type": "RESPONSE", "status": "success", "request_id": "123", "duration_ms": 0, "#
                + #""method": "tools/call", "tool": "write_file", "#
                + #""sanitized": {"invisible": 3, "markup": 2, "code_fences": 1}"#),
        Case(
            kind: .securityBlock(
                AuditEvent.Call(requestID: "124", method: "tools/call", tool: "delete_file"),
                AuditEvent.Block(
                    plugin: "tool_allowlist", reason: "Tool 'delete_file' is not in allowlist",
                    summary: "Tool blocked by allowlist policy", metadata: [(name: "mode", value: "allowlist")])),
            line: #""event_type": "SECURITY_BLOCK", "method": "tools/call", "tool": "delete_file", "#
                + #""reason": "Tool 'delete_file' is not in allowlist", "request_id": "124", "#
                + #""plugin": "tool_allowlist", "plugin_metadata": {"mode": "allowlist"}, "status": "BLOCKED""#),
        Case(
            kind: .securityBlock(
                AuditEvent.Call(requestID: nil, method: "tools/call", tool: nil),
                AuditEvent.Block(
                    plugin: "tool_allowlist", reason: "Tool call missing tool name",
                    summary: "Tool call missing tool name", metadata: [])),
            line: #""event_type": "SECURITY_BLOCK", "method": "tools/call", "reason": "Tool call missing tool name", "#
                + #""plugin": "tool_allowlist", "status": "BLOCKED""#),
        Case(
            kind: .toolsFiltered(list, plugin: "tool_allowlist", count: 3),
            line:
                #""event_type": "TOOLS_FILTERED", "method": "tools/list", "reason": "Filtered 3 tools from response", "#
                + #""plugin": "tool_allowlist", "request_id": "125", "plugin_metadata": {"filtered_count": 3}"#),
        Case(
            kind: .notification(
                method: "notifications/progress", tool: nil, direction: .fromUpstream, note: "dropped: no such call"),
            line: #""event_type": "NOTIFICATION", "method": "notifications/progress", "direction": "upstream", "#
                + #""note": "dropped: no such call""#),
        Case(
            kind: .notification(method: "tools/call", tool: "x", direction: .fromClient, note: nil),
            line: #""event_type": "NOTIFICATION", "method": "tools/call", "tool": "x", "direction": "client""#),
        Case(
            kind: .serverRequest(AuditEvent.Call(requestID: "s1", method: "sampling/createMessage", tool: nil)),
            line: #""event_type": "SERVER_REQUEST", "method": "sampling/createMessage", "status": "ALLOWED", "#
                + #""request_id": "s1""#),
        Case(
            kind: .serverResponse(
                AuditEvent.Call(requestID: "s1", method: "roots/list", tool: nil),
                AuditEvent.Outcome(duration: 12_000_000)),
            line: #""event_type": "SERVER_RESPONSE", "status": "success", "request_id": "s1", "duration_ms": 12, "#
                + #""method": "roots/list""#),
        Case(
            kind: .invalidMessage(direction: .fromClient, reason: "no JSON", offset: 17, length: 90),
            line: #""event_type": "INVALID_MESSAGE", "status": "error", "reason": "no JSON", "direction": "client", "#
                + #""offset": 17, "length": 90"#),
        Case(
            kind: .sessionStart(note: "sampling withheld"),
            line: #""event_type": "SESSION_START", "transport": "stdio", "note": "sampling withheld""#),
        Case(kind: .sessionStart(note: nil), line: #""event_type": "SESSION_START", "transport": "stdio""#),
        Case(
            kind: .sessionEnd(reason: "end of input"),
            line: #""event_type": "SESSION_END", "reason": "end of input", "transport": "stdio""#),
        Case(
            kind: .upstreamStart(pid: 4242, program: "/usr/bin/node", restart: 1),
            line: #""event_type": "UPSTREAM_START", "pid": 4242, "program": "/usr/bin/node", "restart": 1"#),
        Case(
            kind: .upstreamExit(pid: 0, program: "nosuch", restart: 0, status: "no such file or directory"),
            line: #""event_type": "UPSTREAM_EXIT", "exit_status": "no such file or directory", "program": "nosuch", "#
                + #""restart": 0"#),
        Case(
            kind: .upstreamExit(pid: 9, program: "node", restart: 2, status: "signal 9"),
            line: #""event_type": "UPSTREAM_EXIT", "exit_status": "signal 9", "pid": 9, "program": "node", "#
                + #""restart": 2"#),
        Case(
            kind: .configReload(Scene.outcome(), formerHash: "abcd1234"),
            line: #""event_type": "CONFIG_RELOAD", "status": "success", "outcome": "applied", "generation": 2, "#
                + #""old_config": "abcd1234", "new_config": "ef567890", "duration_ms": 7, "#
                + #""changes": ["logging.level: INFO -> DEBUG"]"#),
        Case(
            kind: .configReload(Scene.outcome(refused: "rules.yaml:12:3: unknown key"), formerHash: "abcd1234"),
            line: #""event_type": "CONFIG_RELOAD", "status": "error", "outcome": "refused", "generation": 1, "#
                + #""old_config": "abcd1234", "new_config": "ef567890", "duration_ms": 7, "#
                + #""problems": ["rules.yaml:12:3: unknown key"]"#),
    ]

    @Test("every event has its line", arguments: cases)
    func line(of sample: Case) throws {
        let directory = ScratchDirectory()
        let scene = try Scene([FileAuditingSettings(outputFile: directory.file("audit.log"))])
        scene.record(sample.kind, session: scene.session)
        #expect(scene.trail.commit() == .done(barrier: 0))
        let line = #"{"timestamp": "2024-06-16T10:30:15Z", "# + sample.line + ", " + Self.context
        #expect(directory.lines("audit.log").last == line)
    }

    @Test("a sink tells its settings when it opens, and its end")
    func lifecycle() throws {
        let directory = ScratchDirectory()
        let path = directory.file("audit.log")
        let scene = try Scene([FileAuditingSettings(outputFile: path)], name: nil)
        scene.trail.close(reason: "shutdown")
        let tail = #""config": "1:abcd1234", "run": "00c0ffee", "seq": "#
        #expect(
            directory.lines("audit.log") == [
                #"{"timestamp": "2024-06-16T10:30:15Z", "event_type": "AUDIT_START", "version": "1.0.0", "#
                    + #""output_file": "\#(path)", "format": "json", "mode": "all", "critical": true, "#
                    + #""durability": "write", "max_file_bytes": 10485760, "backup_count": 5, "file_mode": "0600", "#
                    + #""request_body": false, "response_body": false, "max_body_size": 10240, "#
                    + #""timestamp_precision": "seconds", \#(tail)1}"#,
                #"{"timestamp": "2024-06-16T10:30:15Z", "event_type": "AUDIT_STOP", "reason": "shutdown", \#(tail)2}"#,
            ])
    }

    @Test("mode tools prints calls and results of tools, and nothing else")
    func toolsMode() throws {
        let directory = ScratchDirectory()
        var settings = FileAuditingSettings(outputFile: directory.file("audit.log"))
        settings.mode = .tools
        let scene = try Scene([settings], name: nil)
        let params = #"{"name": "x", "arguments": {"path": "/a" , "api_key": [1, 2]}, "_meta": {"arguments": 1}}"#
        let call = Scene.call("1", tool: "x", params: params)
        #expect(scene.trail.wantsParams(scene.snapshot))
        scene.record(.request(call, plugin: "tool_allowlist"))
        scene.record(.response(call, AuditEvent.Outcome(duration: 2_000_000)))
        scene.record(
            .response(call, AuditEvent.Outcome(duration: 0, failure: AuditEvent.Failure(code: nil, message: "no"))))
        scene.record(
            .securityBlock(
                Scene.call("2", tool: "rm"),
                AuditEvent.Block(plugin: "p", reason: "r", summary: "s", metadata: [])))
        scene.record(.request(Self.plain, plugin: nil))
        scene.record(.sessionStart(note: nil))
        _ = scene.trail.commit()
        let start = #"{"timestamp": "2024-06-16T10:30:15Z", "event_type": "#
        let tail = #""config": "1:abcd1234", "run": "00c0ffee", "seq": "#
        #expect(
            Array(directory.lines("audit.log").dropFirst()) == [
                start + #""TOOL_CALL", "tool": "x", "params": {"path": "/a", "api_key": "***REDACTED***"}, "#
                    + #""request_id": "1", "plugin": "tool_allowlist", \#(tail)2}"#,
                start
                    + #""TOOL_RESULT", "tool": "x", "status": "SUCCESS", "request_id": "1", "duration_ms": 2, \#(tail)3}"#,
                start + #""TOOL_RESULT", "tool": "x", "status": "ERROR", "request_id": "1", "duration_ms": 0, "#
                    + #""error_message": "no", \#(tail)4}"#,
                start + #""TOOL_CALL", "tool": "rm", "params": {}, "request_id": "2", "reason": "r", "plugin": "p", "#
                    + #""status": "BLOCKED", \#(tail)5}"#,
            ])
    }

    @Test(
        "timestamps are UTC, exact over leap days, and cut to their precision",
        arguments: [
            (0, FileAuditingSettings.Precision.seconds, "1970-01-01T00:00:00Z"),
            (951_782_400_999_999_999, .milliseconds, "2000-02-29T00:00:00.999Z"),
            (1_709_251_199_000_001_999, .microseconds, "2024-02-29T23:59:59.000001Z"),
            (4_107_542_400_000_000_000, .seconds, "2100-03-01T00:00:00Z"),
            (-1, .microseconds, "1969-12-31T23:59:59.999999Z"),
        ])
    func timestamps(time: Int64, precision: FileAuditingSettings.Precision, text: String) {
        let out = LineBuffer()
        var writer = TimestampWriter(precision: precision)
        writer.append(time, to: out)
        writer.append(time, to: out)
        #expect(String(decoding: out.bytes, as: UTF8.self) == text + text)
    }
}
