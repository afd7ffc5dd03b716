import GatewayConfiguration
import GatewayEvents
import NIOCore
import Testing

@testable import AuditTrail

@Suite("tool-call log")
struct ToolCallLogTests {
    private static let token = "1718533815:0123456789abcdef:" + String(repeating: "ab", count: 32)

    @Test(
        "a result is told by its number of items",
        arguments: [
            (#"{"structuredContent": []}"#, "0 items"),
            (#"{"structuredContent": [1, [2, 3], {"a": [4]}, "],"]}"#, "4 items"),
            (#"{"structuredContent": {"locations": [1, 2]}}"#, "2 items"),
            (#"{"structuredContent": {"total": 9, "result": [1]}}"#, "1 items"),
            (#"{"structuredContent": {"total": 9, "items": [1, 2, 3]}}"#, "3 items"),
            (#"{"structuredContent": {"data": [1, 2], "next": null}}"#, "2 items"),
            (#"{"structuredContent": {"a": [1], "b": [2]}}"#, "ok"),
            (#"{"structuredContent": {"items": {"a": 1}, "x": 1}}"#, "ok"),
            (#"{"content": [{"type": "text", "text": "[1, 2, 3]"}]}"#, "3 items"),
            (#"{"content": [{"type": "text", "text": " {\"items\": [{\"a\": \"]\"}]}"}]}"#, "1 items"),
            (#"{"content": [{"type": "text", "text": "[1, 2"}]}"#, "ok"),
            (#"{"content": [{"type": "text", "text": "[see above]"}]}"#, "ok"),
            (#"{"content": [{"type": "text", "text": "done"}]}"#, "ok"),
            (#"{"content": [{"type": "text", "text": "a"}, {"type": "image", "data": ""}]}"#, "2 items"),
            (#"{"content": []}"#, "ok"),
            (#"{}"#, "ok"),
            (#"{"resultType": "input_required", "content": [1, 2]}"#, "input required"),
            (
                #"{"content": [{"type": "text", "text": "confirm with \#(token)"}, {"type": "text", "text": "x"}]}"#,
                "confirmation token 0123456789abcdef"
            ),
            (
                "{\"content\": [{\"type\": \"text\", \"text\": \"[\(String(repeating: "1,", count: 140_000))1]\"}]}",
                "ok"
            ),
        ])
    func summary(result: String, text: String) {
        let call = Scene.call("1", tool: "x")
        let outcome = AuditEvent.Outcome(duration: 7_000_000, result: ByteBuffer(string: result))
        let line = FormatScene(.tool) { $0.includeResponseBody = true }.line(.response(call, outcome))
        #expect(line == "[TOOL OK] x | 7ms | \(text)")
    }

    @Test(
        "a failure is told by its class",
        arguments: [
            (nil, "ConnectionError: timeout", nil, "ConnectionError: timeout"),
            (nil, "requests.exceptions.Timeout: x", nil, "requests.exceptions.Timeout: x"),
            (nil, "ENOENT: no such file", nil, "ENOENT: no such file"),
            (nil, "note: it failed", nil, "ToolError: note: it failed"),
            (nil, "Error:x", nil, "ToolError: Error:x"),
            (nil, "9Error: x", nil, "ToolError: 9Error: x"),
            (nil, "\nfirst\nsecond", nil, "ToolError: first"),
            (nil, "", nil, "ToolError: no message"),
            (nil, #"bad args {"api_key": "k1"}"#, nil, #"ToolError: bad args {"api_key": ***REDACTED***}"#),
            (nil, "keep \(token)", nil, "ToolError: keep 0123456789abcdef"),
            (nil, "Blocked: by nobody", nil, "ToolError: Blocked: by nobody"),
            (nil, "Timeout: of another", nil, "ToolError: Timeout: of another"),
            (-32602, "unknown tool", nil, "MCPError(-32602): unknown tool"),
            (-32603, "no answer", "timeout", "Timeout: no answer"),
            (nil, "by the client", "cancelled", "Cancelled: by the client"),
            (-32603, "exit 1", "upstream_exited", "UpstreamExited: exit 1"),
            (-32603, "not forwarded", "upstream_unavailable", "UpstreamUnavailable: not forwarded"),
        ] as [(Int?, String, String?, String)])
    func failure(code: Int?, message: String, reason: String?, text: String) {
        let outcome = AuditEvent.Outcome(
            duration: 0, failure: AuditEvent.Failure(code: code, message: message, reason: reason))
        #expect(
            FormatScene(.tool).line(.response(Scene.call("1", tool: "x"), outcome)) == "[TOOL ERR] x | 0ms | \(text)")
    }

    @Test(
        "arguments keep their order, numbers and nesting; names stand bare where they can",
        arguments: [
            (#"{"name": "x"}"#, "{}"),
            (#"{"arguments": {}}"#, "{}"),
            (#"{"arguments":{"b":1.50e+3,"a":[1,{"c":null}],"_9":true}}"#, "{b: 1.50e+3, a: [1, {c: null}], _9: true}"),
            (#"{"arguments":{"9a":1,"a-b":2,"":3,"é":4,"a\u0062":5}}"#, #"{"9a": 1, "a-b": 2, "": 3, "é": 4, ab: 5}"#),
            (#"{"arguments":{"t":"a\nb\u001b[2J\u202e"}}"#, #"{t: "a\nb\u001b[2J\u202e"}"#),
            (#"{"arguments":{"MY_KEY":{"a":1},"monkey":2}}"#, #"{MY_KEY: "***REDACTED***", monkey: "***REDACTED***"}"#),
            (
                #"{"arguments":{"kwargs":"{\"token\": \"x\", \"a\": 1}"}}"#,
                #"{kwargs: "{\"token\": \"***REDACTED***\", \"a\": 1}"}"#
            ),
            (#"{"arguments":{"id":"\#(token)"}}"#, #"{id: "0123456789abcdef"}"#),
        ])
    func arguments(params: String, text: String) {
        let line = FormatScene(.tool).line(.request(Scene.call("1", tool: "x", params: params), plugin: nil))
        #expect(line == "[TOOL CALL] x | args: \(text)")
    }

    @Test("long arguments are cut with a mark")
    func cut() {
        let params = #"{"arguments":{"text":"\#(String(repeating: "x", count: 100_000))"}}"#
        let line = FormatScene(.tool).line(.request(Scene.call("1", tool: "x", params: params), plugin: nil))
        #expect(line.utf8.count < 10_400 && line.hasSuffix("… [cut]\""))
    }

    @Test("snapshots carry what the formats and modes print", arguments: FileAuditingSettings.Format.allCases)
    func carried(format: FileAuditingSettings.Format) {
        let all = FormatScene(format).snapshot
        #expect(all.recordsParams == (format == .debug || format == .tool))
        #expect(all.recordsResults == (format == .tool))
        #expect(FormatScene(format) { $0.mode = .tools }.snapshot.recordsParams)
    }
}
