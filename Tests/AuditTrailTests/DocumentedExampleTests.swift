import GatewayConfiguration
import GatewayEvents
import NIOCore
import Testing

@testable import AuditTrail

/// The example lines of the tutorial and of the tool-call log's documentation, letter by letter.
@Suite("documented examples")
struct DocumentedExampleTests {
    static let call = Scene.call(
        "123", tool: "list_directory", params: #"{"name":"list_directory","arguments":{"path":"/home/u"}}"#)
    static let refused = AuditEvent.Kind.securityBlock(
        AuditEvent.Call(requestID: "124", method: "tools/call", tool: "delete_file"),
        AuditEvent.Block(
            plugin: "tool_allowlist", reason: "Tool 'delete_file' is not in allowlist",
            summary: "Tool blocked by allowlist policy", metadata: [(name: "mode", value: "allowlist")]))
    static let list = AuditEvent.Call(requestID: "125", method: "tools/list", tool: nil)
    static let plain = AuditEvent.Call(requestID: "1", method: "initialize", tool: nil)

    static func failure(_ code: Int?, _ message: String, _ reason: String? = nil) -> AuditEvent.Outcome {
        AuditEvent.Outcome(
            duration: 1_204_999_999, failure: AuditEvent.Failure(code: code, message: message, reason: reason))
    }

    @Test(
        "line",
        arguments: [
            (.request(call, plugin: "tool_allowlist"), "REQUEST: tools/call - list_directory - ALLOWED"),
            (.request(plain, plugin: nil), "REQUEST: initialize - ALLOWED"),
            (.response(call, AuditEvent.Outcome(duration: 1)), "RESPONSE: success"),
            (.response(call, failure(-32000, "message")), "RESPONSE: error -32000 - message"),
            (refused, "SECURITY_BLOCK: delete_file - [tool_allowlist] Tool blocked by allowlist policy"),
            (
                .toolsFiltered(list, plugin: "tool_allowlist", count: 3),
                "TOOLS_FILTERED: tools/list - [tool_allowlist] Filtered 3 tools from response"
            ),
        ] as [(AuditEvent.Kind, String)])
    func line(kind: AuditEvent.Kind, text: String) {
        #expect(FormatScene(.line).line(kind) == "2024-06-16 10:30:15 UTC - \(text)")
    }

    @Test("debug")
    func debug() {
        let scene = FormatScene(.debug)
        let tail =
            #" SERVER_NAME=filesystem SESSION_ID=0123456789abcdef CLIENT_NAME="Claude Desktop" CLIENT_VERSION=1.2"#
            + #" PEER="uid=1000 gid=1000 pid=4242" CONFIG=1:abcd1234 RUN=00c0ffee SEQ=2"#
        #expect(
            scene.line(.request(Self.call, plugin: "tool_allowlist"))
                == "[2024-06-16 10:30:15.123] REQUEST_ID=123 SOURCE=claude_desktop EVENT=TOOL_CALL TOOL=list_directory "
                + #"PARAMS={"path": "/home/u"} SECURITY_CHECKS=["tool_allowlist:ALLOWED"]"# + tail)
        #expect(
            scene.line(.response(Self.call, AuditEvent.Outcome(duration: 1_333_000_000)))
                == "[2024-06-16 10:30:15.123] REQUEST_ID=123 SOURCE=filesystem_server EVENT=TOOL_RESULT "
                + "TOOL=list_directory STATUS=SUCCESS DURATION=1.333s" + tail)
    }

    @Test(
        "csv",
        arguments: [
            (
                .request(call, plugin: "tool_allowlist"),
                "REQUEST,tools/call,list_directory,ALLOWED,123,tool_allowlist,Request approved,,"
            ),
            (.response(call, AuditEvent.Outcome(duration: 1_333_000_000)), "RESPONSE,,,success,123,,,1333,"),
            (
                refused,
                "SECURITY_BLOCK,tools/call,delete_file,BLOCKED,124,tool_allowlist,Tool blocked by allowlist policy,,"
            ),
        ] as [(AuditEvent.Kind, String)])
    func csv(kind: AuditEvent.Kind, text: String) {
        let scene = FormatScene(.csv, name: nil)
        #expect(
            String(decoding: scene.encoder.header, as: UTF8.self)
                == "timestamp,event_type,method,tool,status,request_id,plugin,reason,duration_ms,server_name\n")
        #expect(scene.line(kind) == "2024-06-16T10:30:15Z,\(text)")
    }

    @Test("tool")
    func tool() {
        let scene = FormatScene(.tool)
        let locations = Scene.call(
            "1", tool: "zia_list_locations",
            params: #"{"name":"x","arguments":{"page":1,"page_size":50,"name":"HQ"}}"#)
        let items = "[" + Array(repeating: "1", count: 15).joined(separator: ",") + "]"
        #expect(
            scene.line(.request(locations, plugin: nil))
                == #"[TOOL CALL] zia_list_locations | args: {page: 1, page_size: 50, name: "HQ"}"#)
        #expect(
            scene.line(
                .response(
                    locations,
                    AuditEvent.Outcome(
                        duration: 342_999_999, result: ByteBuffer(string: #"{"structuredContent": \#(items)}"#))))
                == "[TOOL OK] zia_list_locations | 342ms | 15 items")
        let resources = Scene.call("2", tool: "zms_list_resources", params: #"{"arguments":{"page_num":1}}"#)
        #expect(
            scene.line(.request(resources, plugin: nil))
                == "[TOOL CALL] zms_list_resources | args: {page_num: 1}")
        #expect(
            scene.line(.response(resources, Self.failure(nil, "ConnectionError: timeout")))
                == "[TOOL ERR] zms_list_resources | 1204ms | ConnectionError: timeout")
        let prefixed = FormatScene(.tool) { $0.timestampPrefix = true }
        #expect(
            prefixed.line(.request(resources, plugin: nil))
                == "2024-06-16 10:30:15,123 [TOOL CALL] zms_list_resources | args: {page_num: 1}")
    }
}
