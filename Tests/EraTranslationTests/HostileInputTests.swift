import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

@Suite("Hostile input")
struct HostileInputTests {
    private static let seeds = [
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{\#(requiredMembers),"progressToken":"p","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/logLevel":"info"},"arguments":{"s":"a","o":{"s":"x"}},"inputResponses":{"q":{"action":"accept"}},"requestState":"abc"}}"#,
        #"{"jsonrpc":"2.0","id":"a","method":"resources/read","params":{ "uri" : "file:///x" , "_meta" : { } }}"#,
        #"{"jsonrpc":"2.0","id":2,"method":"subscriptions/listen","params":{"_meta":{},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["u","v"]}}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"u","_meta":{"io.modelcontextprotocol/subscriptionId":1}}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
        #"{"jsonrpc":"2.0","id":3,"method":"elicitation/create","params":{"mode":"url","elicitationId":"e","_meta":{"progressToken":1}}}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":1,"a":[1,{"b":2}],"cacheScope":"private"}}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"q":{"method":"roots/list"},"r":{"method":"elicitation/create","params":{}}},"requestState":"s"}}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tasks":{},"roots":{"listChanged":true},"extensions":{}},"serverInfo":{"name":"s","version":"1"},"_meta":{"io.modelcontextprotocol/serverInfo":{}}}}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t","inputSchema":{"properties":{"s":{"type":"string","x-mcp-header":"S"},"o":{"properties":{"s":{"type":"string","x-mcp-header":"O"}}}}}}]}}"#,
        #"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"m"}}"#,
    ]
    /// Pieces that change what a text means while it stays JSON.
    private static let pieces = [
        "{}", "[]", "null", "\"\"", "1", "{\"a\":1}", " ", "\\u005f", "\\ud800", "\\\\", "\\\"", ",\"_meta\":{}",
        ",\"a\":{}", "\"x-mcp-header\":", "{\"\":[{}]}", "1e99", "é",
    ]

    @Test("never traps, and makes messages of messages", arguments: 0..<8)
    func mutations(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let scanner = MessageScanner(maxDepth: 128)
        var translated = 0
        for _ in 0..<1000 {
            var text = Array((Self.seeds.randomElement(using: &dice) ?? "").utf8)
            for _ in 0..<Int.random(in: 0...3, using: &dice) { mutate(&text, &dice) }
            let bytes = buffer(String(decoding: text, as: UTF8.self))
            guard case .message(let scan) = scanner.scan(bytes) else { continue }
            translated += 1
            try translate(Message(bytes: bytes, scan: scan), &dice)
        }
        // Else the test would show nothing.
        #expect(translated > 150)
    }

    private func mutate(_ text: inout [UInt8], _ dice: inout Dice) {
        let piece = Array((Self.pieces.randomElement(using: &dice) ?? "").utf8)
        let start = Int.random(in: 0...text.count, using: &dice)
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: text.insert(contentsOf: piece, at: start)
        case 1: text.removeSubrange(start..<min(text.count, start + Int.random(in: 0...12, using: &dice)))
        case 2:
            // A whole value or name in place of another.
            let quotes = text.indices.filter { text[$0] == UInt8(ascii: "\"") || text[$0] == UInt8(ascii: "{") }
            guard let at = quotes.randomElement(using: &dice) else { return }
            let end = text[(at + 1)...].firstIndex { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "}") } ?? at
            text.replaceSubrange(at...end, with: piece)
        default:
            let end = min(text.count, start + Int.random(in: 0...40, using: &dice))
            text.insert(contentsOf: text[start..<end], at: Int.random(in: 0...text.count, using: &dice))
        }
    }

    /// Every function of the module, on a message that need not be what the function is for.
    private func translate(_ message: Message, _ dice: inout Dice) throws {
        let envelope = OutgoingEnvelope(
            version: ModernProtocol.version, capabilities: ByteBuffer(string: "{}"), clientInfo: nil, logLevel: .info)
        let token = Bool.random(using: &dice) ? Lexeme(integer: 9) : nil
        let headers = RequestHeaders([
            (name: "mcp-method", value: "tools/call"), (name: "mcp-param-s", value: "=?base64?YQ==?="),
        ])
        if message.scan.kind == .request || message.scan.kind == .notification {
            _ = try RequestEnvelope.stripped(from: message, progressToken: token).text(message)
            _ = try envelope.stamped(on: message, progressToken: token).text(message)
            _ = try envelope.retrying(
                message, progressToken: token,
                responses: [(ByteBuffer(string: "\"k\""), ByteBuffer(string: "{}"))],
                requestState: ByteBuffer(string: "\"s\"")
            ).text(message)
            _ = try Subscription(id: Lexeme(integer: 3)).tagged(message).text(message)
            _ = try Subscription.untagged(message).text(message)
            accept { try RequestEnvelope(of: message) }
            accept { try headers.check(message) }
            accept { try SubscriptionFilter(of: message) }
            accept { try InputResponses(of: message, expecting: ["q", "r"]) }
            accept { try InputResponses.requestState(of: message) }
            accept {
                let asked = try ServerRequest(of: message)
                let result = InputRequired.result(asking: [("k", asked)], requestState: nil)
                return try InputRequired(of: response(String(buffer: result)))
            }
            _ = SubscriptionFilter().admits(message)
            _ = RequestBinding(of: message)
        } else {
            _ = try ResultTranslation.toLegacy(message).text(message)
            _ = try ResultTranslation.toModern(message, method: "tools/list", serverInfo: ByteBuffer(string: "{}"))
                .text(message)
            _ = try ErrorTranslation.toModern(message).text(message)
            let range = message.scan[.result]
            let result = message.bytes.getSlice(
                at: message.bytes.readerIndex + Int(range.lower), length: range.count)
            accept {
                let discover = try HandshakeTranslation.discoverResult(
                    fromInitialize: result ?? ByteBuffer(), supportedVersions: ["a"])
                _ = try response(String(buffer: discover))
                let initialize = try HandshakeTranslation.initializeResult(
                    fromDiscover: discover, version: "b", fallbackServerInfo: ByteBuffer(string: "{}"))
                return try response(String(buffer: initialize))
            }
            accept { try InputRequired(of: message) }
            let call = try request("tools/call", #"{"arguments":{"s":"a","o":{"s":1}}}"#)
            for case (_, .headers(let parameters)) in ToolPage.annotations(in: message) {
                accept { try parameters.check(headers, against: call) }
            }
        }
    }

    /// An error of the protocol is as good as a value here.
    private func accept<Value>(_ body: () throws -> Value) {
        do {
            _ = try body()
        } catch let error as ProtocolError {
            #expect(error.code < 0)
        } catch {
            Issue.record(error)
        }
    }
}
