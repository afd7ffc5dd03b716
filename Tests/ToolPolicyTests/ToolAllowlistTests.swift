import GatewayConfiguration
import JSONRPCWire
import NIOCore
import Testing

@testable import ToolPolicy

@Suite("ToolAllowlist")
struct ToolAllowlistTests {
    @Test(
        "names match exactly, globs by scalar, and never by Unicode equivalence or case",
        arguments: [
            ("read_file", "read_file", true), ("read_file", "Read_file", false), ("read_file", "read_file ", false),
            ("*_list_*", "zia_list_users", true), ("*_list_*", "list_users", false), ("r?ad", "réad", true),
            ("r?ad", "read_", false), ("*", "", true), ("a*b*c", "aXbYc", true), ("a*b*c", "acb", false),
            ("é", "e\u{301}", false), ("?", "e\u{301}", false), ("**", "x", true),
        ])
    func matching(entry: String, tool: String, matches: Bool) {
        #expect(ToolPattern([entry]).matches(tool) == matches)
    }

    @Test("a glob of many stars costs steps, not exponentials")
    func adversarialGlob() {
        let glob = String(repeating: "*a", count: 30) + "b"
        #expect(!ToolPattern([glob]).matches(String(repeating: "a", count: 2000)))
    }

    @Test(
        "modes and their reasons",
        arguments: [
            (ToolAllowlistSettings.Mode.allowlist, ["x"], "x", nil),
            (.allowlist, ["x"], "y", "Tool 'y' is not in allowlist"),
            (.allowlist, [], "x", "Tool 'x' is not in allowlist"),
            (.blocklist, ["x"], "x", "Tool 'x' is in blocklist"), (.blocklist, ["x"], "y", nil),
            (.allowAll, [], "x", nil),
        ] as [(ToolAllowlistSettings.Mode, [String], String, String?)])
    func modes(mode: ToolAllowlistSettings.Mode, tools: [String], tool: String, reason: String?) throws {
        let policy = ToolAllowlist(ToolAllowlistSettings(mode: mode, tools: tools, blockMessage: "no"))
        let verdict = policy.review(try Self.call(tool))
        if let reason {
            guard case .refuse(let refusal) = verdict else {
                Issue.record("\(tool) was not refused")
                return
            }
            #expect(refusal.reason == reason)
            #expect(refusal.clientMessage == "no")
        } else {
            guard case .allow = verdict else {
                Issue.record("\(tool) was not allowed")
                return
            }
        }
        #expect(policy.permits(tool) == (reason == nil))
    }

    @Test("a call without a readable name is refused in every mode", arguments: ToolAllowlistSettings.Mode.allCases)
    func missingName(mode: ToolAllowlistSettings.Mode) throws {
        let policy = ToolAllowlist(ToolAllowlistSettings(mode: mode, tools: []))
        guard case .refuse(let refusal) = policy.review(try Self.call(nil)) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.reason == "Tool call missing tool name")
    }

    @Test("other methods are none of its business")
    func otherMethods() throws {
        let policy = ToolAllowlist(ToolAllowlistSettings(mode: .allowlist, tools: []))
        var request = try Self.call("x")
        request.isToolCall = false
        guard case .notConcerned = policy.review(request) else {
            Issue.record("it looked at a method that calls no tool")
            return
        }
    }

    @Test(
        "entries whose name cannot be read without doubt are hidden",
        arguments: [
            #"{"name":"a"}"#, #"{"\u006eame":"a"}"#, #"{"name":"a","name":"b"}"#, #"{"name":"a","Name":"b"}"#,
            #"{"NAME":"a"}"#, #"{"name":1}"#, #"{}"#, #"{"name":null}"#,
        ])
    func doubtfulNames(entry: String) throws {
        let policy = ToolAllowlist(ToolAllowlistSettings(mode: .allowlist, tools: ["a"]))
        let isPlain = entry == #"{"name":"a"}"# || entry == #"{"\u006eame":"a"}"#
        switch policy.review(result: try Self.list(entry), of: "tools/list") {
        case .pass: #expect(isPlain)
        case .rewrite(let bytes, let removed):
            #expect(!isPlain)
            #expect(removed == .hid(tools: 1))
            #expect(String(buffer: bytes).contains(#""tools": [ ]"#) || String(buffer: bytes).contains(#""tools": []"#))
        case .refuse: Issue.record("refused")
        }
    }

    private static func call(_ tool: String?) throws -> PolicyRequest {
        let name = tool.map { #""name":"\#($0)""# } ?? ""
        let bytes = ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{\#(name)}}"#)
        return PolicyRequest(message: try message(bytes), method: "tools/call", isToolCall: true, tool: tool)
    }

    private static func list(_ entry: String) throws -> Message {
        try message(ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"result":{"tools": [\#(entry)]}}"#))
    }

    private static func message(_ bytes: ByteBuffer) throws -> Message {
        guard case .message(let scan) = MessageScanner(maxDepth: 16).scan(bytes) else {
            throw Unreadable(text: String(buffer: bytes))
        }
        return Message(bytes: bytes, scan: scan)
    }

    private struct Unreadable: Error {
        let text: String
    }
}
