import JSONRPCWire
import NIOCore
import Testing

@Suite("Error replies")
struct ErrorReplyTests {
    @Test("writes one line that reads back as an error response")
    func reply() throws {
        let id = Lexeme(ByteRange(1, 6), in: buffer(" 1.0e0"))
        let bytes = ErrorReply.bytes(
            id: id, code: -32000, message: "Tool \"x\" is\nnot allowed",
            data: [("reason", "not in \\allowlist"), ("plugin", "tool_allowlist")])
        #expect(
            String(buffer: bytes)
                == #"{"jsonrpc":"2.0","id":1.0e0,"error":{"code":-32000,"message":"Tool \"x\" is\nnot allowed","#
                + #""data":{"reason":"not in \\allowlist","plugin":"tool_allowlist"}}}"#)
        let scan = try #require(MessageScanner.standard.scan(bytes).message)
        #expect(scan.kind == .error)
        #expect(JSONText.integer(scan[.errorCode], in: bytes) == -32000)
        #expect(JSONText.string(scan[.errorMessage], in: bytes) == "Tool \"x\" is\nnot allowed")
    }

    @Test("leaves data out when there is none, and answers without an id with null")
    func bare() {
        let bytes = ErrorReply.bytes(id: .null, code: -32700, message: "no JSON")
        #expect(String(buffer: bytes) == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no JSON"}}"#)
    }
}
