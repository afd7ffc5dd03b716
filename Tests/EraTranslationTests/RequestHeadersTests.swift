import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

@Suite("RequestHeaders")
struct RequestHeadersTests {
    private static let version: (String, String) = ("MCP-Protocol-Version", "2026-07-28")

    private static func call(_ params: String) throws -> Message {
        try request("tools/call", "{\"_meta\":{\(requiredMembers)}\(params)}")
    }

    private func mismatch(_ message: Message, _ headers: [(String, String)]) throws -> String {
        let headers = RequestHeaders(headers.map { (name: $0.0, value: $0.1) })
        let error = try failure { try headers.check(message) }
        #expect(error.code == -32020)
        #expect(error.httpStatus == 400)
        return error.message
    }

    private func accept(_ message: Message, _ headers: [(String, String)]) throws {
        try RequestHeaders(headers.map { (name: $0.0, value: $0.1) }).check(message)
    }

    @Test("takes headers that say what the body says, whatever the case of their names")
    func matching() throws {
        let call = try Self.call(#","name":"get_weather""#)
        try accept(call, [Self.version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "get_weather")])
        try accept(
            call,
            [
                ("accept", "*/*"), ("MCP-PROTOCOL-VERSION", " 2026-07-28\t"), ("mcp-method", "tools/call"),
                ("mCP-nAME", "get_weather "), ("Mcp-Session-Id", "x"), ("", ""), ("m", "m"),
            ])
        try accept(
            call, [Self.version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?Z2V0X3dlYXRoZXI=?=")])
        let list = try request("tools/list", "{\"_meta\":{\(requiredMembers)}}")
        try accept(list, [Self.version, ("Mcp-Method", "tools/list")])
        // For other methods the header has no meaning.
        try accept(list, [Self.version, ("Mcp-Method", "tools/list"), ("Mcp-Name", "x")])
        let read = try request("resources/read", "{\"uri\":\"file:///é\",\"_meta\":{\(requiredMembers)}}")
        try accept(read, [Self.version, ("Mcp-Method", "resources/read"), ("Mcp-Name", "=?base64?ZmlsZTovLy/DqQ==?=")])
        // A call of nothing is the upstream's to refuse.
        try accept(Self.call(""), [Self.version, ("Mcp-Method", "tools/call")])
    }

    @Test(
        "refuses headers that are missing, repeated or say something else",
        arguments: [
            ([("Mcp-Method", "tools/call"), ("Mcp-Name", "x")], "MCP-Protocol-Version is missing"),
            ([version, ("Mcp-Name", "x")], "Mcp-Method is missing"),
            ([version, ("Mcp-Method", "tools/call")], "Mcp-Name is missing"),
            (
                [("MCP-Protocol-Version", "2025-11-25"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "x")],
                #"MCP-Protocol-Version is "2025-11-25", but the body says "2026-07-28""#
            ),
            (
                [version, ("Mcp-Method", "tools/list"), ("Mcp-Name", "x")],
                #"Mcp-Method is "tools/list", but the body says "tools/call""#
            ),
            (
                [version, ("Mcp-Method", "Tools/Call"), ("Mcp-Name", "x")],
                #"Mcp-Method is "Tools/Call", but the body says "tools/call""#
            ),
            (
                [version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "y")],
                "Mcp-Name is not what params of the body name"
            ),
            (
                [version, ("Mcp-Method", "tools/call"), ("mcp-method", "tools/call"), ("Mcp-Name", "x")],
                "Mcp-Method occurs twice"
            ),
            (
                [version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "x"), ("MCP-NAME", "x")],
                "Mcp-Name occurs twice"
            ),
            (
                [version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?eB==?=")],
                "Mcp-Name is not well encoded"
            ),
        ] as [([(String, String)], String)])
    func mismatches(headers: [(String, String)], message: String) throws {
        #expect(try mismatch(Self.call(#","name":"x""#), headers) == "header mismatch: \(message)")
    }

    @Test("keeps what could forge a line out of its messages")
    func quoting() throws {
        let call = try Self.call(#","name":"x""#)
        let text = try mismatch(
            call, [Self.version, ("Mcp-Method", "a\r\nb\u{202E}" + String(repeating: "c", count: 99))])
        let rest = String(repeating: "c", count: 59)
        #expect(
            text == #"header mismatch: Mcp-Method is "a\u{d}\u{a}b\u{202e}\#(rest)…", but the body says "tools/call""#)
    }

    @Test("finds the body at fault first where its envelope is not complete")
    func order() throws {
        let headers = RequestHeaders([(name: "Mcp-Method", value: "wrong")])
        let message = try request("tools/call", "{}")
        let error = try failure { try headers.check(message) }
        #expect(error.code == -32602)
        #expect(error.httpStatus == 400)
        // A version that is no text equals no header.
        let number = try request(
            "tools/list",
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":7,"io.modelcontextprotocol/clientCapabilities":{}}}"#)
        #expect(try mismatch(number, [("MCP-Protocol-Version", "7"), ("Mcp-Method", "tools/list")]).contains("7"))
    }

    @Test("lets a notification leave headers out, but not lie")
    func notifications() throws {
        let message = try scanned(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
        try accept(message, [])
        try accept(message, [Self.version, ("Mcp-Method", "notifications/cancelled")])
        #expect(try mismatch(message, [("Mcp-Method", "x")]).contains("Mcp-Method"))
    }

    @Test("compares bytes, not characters")
    func equivalence() throws {
        let call = try Self.call(",\"name\":\"e\u{301}\"")
        #expect(
            try mismatch(call, [Self.version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?w6k=?=")])
                .contains("Mcp-Name"))
        try accept(call, [Self.version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?ZcyB?=")])
    }

    @Test(
        "decodes values",
        arguments: [
            ("us-west1", "us-west1"), ("", ""), ("  a b\t", "a b"), ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, 世界"),
            ("=?base64?IHBhZGRlZCA=?=", " padded "), ("=?base64?bGluZTEKbGluZTI=?=", "line1\nline2"),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="), ("=?base64??=", ""),
            ("=?BASE64?eA==?=", "=?BASE64?eA==?="), ("=?base64?=", "=?base64?="), ("=?base64?eA==", "=?base64?eA=="),
            ("x=?base64?eA==?=", "x=?base64?eA==?="),
            // Bad characters, bad length, bits that stand for nothing, the other alphabet, bytes that are no text.
            ("é", nil), ("a\u{7F}", nil), ("a\rb", nil), ("=?base64?eA?=", nil), ("=?base64?eA=?=", nil),
            ("=?base64?eB==?=", nil), ("=?base64?e===?=", nil), ("=?base64?====?=", nil), ("=?base64?e A=?=", nil),
            ("=?base64?_w==?=", nil), ("=?base64?/w==?=", nil), ("=?base64?7aCA?=", nil), ("=?base64?eA==eA==?=", nil),
        ] as [(String, String?)])
    func decoding(value: String, expected: String?) {
        #expect(RequestHeaders.decoded(value) == expected)
    }
}
