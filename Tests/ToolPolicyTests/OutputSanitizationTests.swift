import GatewayConfiguration
import JSONRPCWire
import NIOCore
import OutputSanitizer
import Testing

@testable import ToolPolicy

@Suite("OutputSanitization")
struct OutputSanitizationTests {
    private static func message(_ text: String) throws -> Message {
        let bytes = ByteBuffer(string: text)
        guard case .message(let scan) = MessageScanner(maxDepth: 64).scan(bytes) else {
            throw Unreadable(text: text)
        }
        return Message(bytes: bytes, scan: scan)
    }

    private struct Unreadable: Error {
        let text: String
    }

    /// The bytes that are delivered, and what was taken out of them.
    private static func delivered(
        _ text: String, of method: String = "tools/call", stages: Set<OutputSanitizationSettings.Stage>? = nil,
        behind first: [any Policy] = []
    ) throws -> (text: String, changes: [ResultChange]) {
        var settings = OutputSanitizationSettings()
        if let stages { settings.stages = stages }
        let chain = PolicyChain(first + [OutputSanitization(settings)])
        let message = try message(text)
        guard chain.reviewsResults(of: method) else { return (text, []) }
        switch chain.review(message, of: method) {
        case .deliver(let message, let changes):
            // What follows reads ranges of it.
            let id = message.scan[.id]
            #expect(message.bytes.getString(at: Int(id.lower), length: Int(id.upper - id.lower)) == "7")
            return (String(buffer: message.bytes), changes.map(\.change))
        case .refused(let refusal): throw Unreadable(text: refusal.reason)
        }
    }

    @Test("a tool's text is delivered without what nobody sees, and the counts say what was taken out")
    func result() throws {
        let (text, changes) = try Self.delivered(
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"a\u{200B}b <b>c</b>\"}]}}"
        )
        #expect(text == #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"ab c"}]}}"#)
        guard case .sanitized(let removed)? = changes.first else { return #expect(Bool(false), "\(changes)") }
        #expect(removed.invisible == 1)
        #expect(removed.markup == 2)
        #expect(removed.codeFences == 0)
    }

    @Test("the message of a failed call is a tool's text too")
    func error() throws {
        let (text, changes) = try Self.delivered(
            #"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"<i>no</i>","data":{"why":"<u>x</u>"}}}"#)
        #expect(text == #"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no","data":{"why":"x"}}}"#)
        #expect(changes.count == 1)
    }

    @Test("what a task brings is a tool's text")
    func task() throws {
        let (text, _) = try Self.delivered(
            #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"<b>c</b>"}]}}"#, of: "tasks/result")
        #expect(text == #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"c"}]}}"#)
    }

    @Test(
        "what a task of the modern era brings is a tool's text, wherever it stands in the task",
        arguments: [
            (
                #"{"jsonrpc":"2.0","id":7,"result":{"taskId":"<b>","result":{"structuredContent":{"a":"<b>x"},"x":"<b>","#
                    + #""content":[{"type":"text","text":"<b>c</b>"}]},"statusMessage":"<b>"}}"#,
                #"{"jsonrpc":"2.0","id":7,"result":{"taskId":"<b>","result":{"structuredContent":{"a":"x"},"x":"<b>","#
                    + #""content":[{"type":"text","text":"c"}]},"statusMessage":"<b>"}}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":7,"result":{"error":{"code":-1,"message":"<b>m","data":["<b>d"]},"status":"failed"}}"#,
                #"{"jsonrpc":"2.0","id":7,"result":{"error":{"code":-1,"message":"m","data":["d"]},"status":"failed"}}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":7,"error":{"code":-1,"message":"<b>m"}}"#,
                #"{"jsonrpc":"2.0","id":7,"error":{"code":-1,"message":"m"}}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":7,"result":{"result":[{"text":"<b>"}],"content":[{"text":"<b>"}]}}"#,
                #"{"jsonrpc":"2.0","id":7,"result":{"result":[{"text":"<b>"}],"content":[{"text":"<b>"}]}}"#
            ),
        ])
    func modernTask(_ text: String, _ wanted: String) throws {
        #expect(try Self.delivered(text, of: "tasks/get").text == wanted)
    }

    @Test("a policy of lists is not asked about errors")
    func errorOfAList() throws {
        let allowlist = ToolAllowlist(ToolAllowlistSettings(mode: .allowlist, tools: ["a"]))
        let chain = PolicyChain([allowlist])
        let failed = try Self.message(#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"m"}}"#)
        guard case .deliver(_, let changes) = chain.review(failed, of: "tools/list") else {
            return #expect(Bool(false), "refused")
        }
        #expect(changes.isEmpty)
    }

    @Test(
        "what is no answer of a tool, or clean, is delivered byte for byte",
        arguments: [
            ("resources/read", #"{"jsonrpc":"2.0","id":7,"result":{"contents":[{"text":"<b>x</b>"}]}}"#),
            ("tools/list", #"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"a","description":"<b>x</b>"}]}}"#),
            ("tools/call", #"{ "jsonrpc":"2.0", "id":7, "result":{"content":[{"text":"1 < 2 \u0026 [x]"}]} }"#),
        ])
    func untouched(_ method: String, _ text: String) throws {
        let delivered = try Self.delivered(text, of: method)
        #expect(delivered.text == text)
        #expect(delivered.changes.isEmpty)
    }

    @Test("only the chosen stages run")
    func stages() throws {
        let (text, _) = try Self.delivered(
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"text\":\"a\u{200B} <b>c</b>\"}]}}",
            stages: [.invisible])
        #expect(text == #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"text":"a <b>c</b>"}]}}"#)
    }
}
