import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("Legacy clients of a modern upstream")
struct RouterToModernTests {
    @Test(
        "initialize is made from the discover result, at the revision that the client offers",
        arguments: [
            ("2025-06-18", "2025-06-18"), ("2025-11-25", "2025-11-25"), ("2099-01-01", "2025-11-25"),
        ])
    func initialize(offer: String, told: String) throws {
        let harness = RouterHarness.modernOnly()
        let session = harness.ready(version: offer)
        let result = try #require(Text.member("result", harness.last(session)))
        #expect(Text.member("protocolVersion", result) == #""\#(told)""#)
        #expect(Text.path(["serverInfo", "name"], result) == #""u""#)
        #expect(Text.path(["capabilities", "tools"], result) == #"{"listChanged":true}"#)
        for gone in ["supportedVersions", "resultType", "ttlMs", "cacheScope"] {
            #expect(Text.member(gone, result) == nil)
        }
        #expect(harness.starts.count == 1)
        harness.receive(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, from: session)
        #expect(harness.count(of: "notifications/initialized", at: harness.shared) == 0)
    }

    @Test("each request gets the session's envelope; the result loses what the legacy era does not know")
    func call() throws {
        let harness = RouterHarness.modernOnly()
        let session = harness.ready(capabilities: #"{"roots":{"listChanged":true},"x":{}}"#)
        harness.receive(RouterHarness.call(id: "7", tool: "read", token: #""t""#), from: session)
        let sent = try #require(harness.forwarded[harness.shared]?.last)
        let meta = ["params", "_meta"]
        #expect(Text.path(meta + ["io.modelcontextprotocol/protocolVersion"], sent) == #""2026-07-28""#)
        #expect(Text.path(meta + ["io.modelcontextprotocol/clientInfo", "name"], sent) == #""Test Client""#)
        #expect(Text.path(meta + ["io.modelcontextprotocol/clientCapabilities"], sent) == #"{"roots":{},"x":{}}"#)
        #expect(Text.path(meta + ["progressToken"], sent) == Text.member("id", sent))
        harness.answer(
            "tools/call", of: harness.shared, #"{"resultType":"complete","content":[],"ttlMs":5,"cacheScope":"public"}"#
        )
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#)
        #expect(harness.trail.suffix(2) == ["REQUEST 7 tools/call read", "RESPONSE 7 ok"])
    }

    @Test("ping and setLevel are answered here; the level goes with each request")
    func level() throws {
        let harness = RouterHarness.modernOnly()
        let session = harness.ready()
        let count = harness.forwarded[harness.shared]?.count
        harness.receive(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, from: session)
        harness.receive(
            #"{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"error"}}"#, from: session)
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":2,"result":{}}"#)
        #expect(harness.forwarded[harness.shared]?.count == count)
        harness.receive(RouterHarness.call(id: "3", tool: "read"), from: session)
        let sent = try #require(harness.forwarded[harness.shared]?.last)
        #expect(Text.path(["params", "_meta", "io.modelcontextprotocol/logLevel"], sent) == #""error""#)
        let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"x"}}"#
        harness.receive(log, from: harness.shared)
        #expect(harness.last(session) == log)
    }

    @Test("one subscription of the gateway carries list changes and resource updates for all of them")
    func subscriptions() throws {
        let harness = RouterHarness.modernOnly()
        let (first, second) = (harness.ready("a"), harness.ready("b"))
        harness.receive(
            #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x://y"}}"#, from: first)
        #expect(harness.last(first) == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        let listen = try #require(
            harness.forwarded[harness.shared]?.last { Text.member("method", $0) == #""subscriptions/listen""# })
        #expect(Text.path(["params", "notifications", "resourceSubscriptions"], listen) == #"["x://y"]"#)
        #expect(harness.count(of: "notifications/cancelled", at: harness.shared) == 1, "the former one ends")
        let id = try #require(Text.member("id", listen))
        let meta = #""_meta":{"io.modelcontextprotocol/subscriptionId":\#(id)}"#
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{\#(meta),"uri":"x://y"}}"#,
            from: harness.shared)
        #expect(
            harness.last(first)
                == #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://y"}}"#)
        #expect(Text.member("method", harness.last(second)) == nil)
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/prompts/list_changed","params":{\#(meta)}}"#,
            from: harness.shared)
        for session in [first, second] {
            #expect(Text.member("method", harness.last(session)) == #""notifications/prompts/list_changed""#)
            #expect(!harness.last(session).contains("subscriptionId"))
        }
        harness.receive(
            #"{"jsonrpc":"2.0","id":2,"method":"resources/unsubscribe","params":{"uri":"x://y"}}"#, from: first)
        let last = try #require(
            harness.forwarded[harness.shared]?.last { Text.member("method", $0) == #""subscriptions/listen""# })
        #expect(Text.path(["params", "notifications", "resourceSubscriptions"], last) == nil)
    }

    // MARK: - InputRequiredResult

    private static let asks =
        #"{"resultType":"input_required","inputRequests":{"q":{"method":"sampling/createMessage","params":{"maxTokens":5}},"#
        + #""r":{"method":"roots/list"}},"requestState":"opaque"}"#

    @Test("embedded requests go to the client one by one, and the call again with the answers and the state")
    func round() throws {
        let harness = RouterHarness.modernOnly()
        let session = harness.ready(capabilities: #"{"sampling":{},"roots":{}}"#)
        harness.receive(RouterHarness.call(id: "1", tool: "read", token: "5"), from: session)
        let first = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        harness.answer("tools/call", of: harness.shared, Self.asks)
        let asked = try #require(harness.sent[session]?.suffix(2)).map { $0 }
        #expect(asked.compactMap { Text.member("method", $0) } == [#""sampling/createMessage""#, #""roots/list""#])
        #expect(Text.member("params", asked[0]) == #"{"maxTokens":5}"#)
        let ids = asked.compactMap { Text.member("id", $0) }
        #expect(harness.count(of: "tools/call", at: harness.shared) == 1)
        harness.advance(90)
        harness.receive(#"{"jsonrpc":"2.0","id":\#(ids[1]),"result":{"roots":[]}}"#, from: session)
        harness.receive(#"{"jsonrpc":"2.0","id":\#(ids[0]),"result":{"model":"m"}}"#, from: session)
        let retry = try #require(harness.forwarded[harness.shared]?.last)
        let second = try #require(Text.member("id", retry))
        #expect(second != "\(first)")
        #expect(Text.path(["params", "inputResponses"], retry) == #"{"q":{"model":"m"},"r":{"roots":[]}}"#)
        #expect(Text.path(["params", "requestState"], retry) == #""opaque""#)
        #expect(Text.path(["params", "name"], retry) == #""read""#)
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(second),"progress":1}}"#,
            from: harness.shared)
        #expect(Text.path(["params", "progressToken"], harness.last(session)) == "5")
        harness.answer("tools/call", of: harness.shared, #"{"resultType":"complete","content":[]}"#)
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#)
        #expect(
            harness.trail.filter { $0.hasPrefix("RE") || $0.hasPrefix("SERVER") } == [
                "REQUEST 0 initialize", "RESPONSE 0 ok", "REQUEST 1 tools/call read",
                "SERVER_REQUEST q sampling/createMessage", "SERVER_REQUEST r roots/list", "SERVER_RESPONSE r ok",
                "SERVER_RESPONSE q ok", "RESPONSE 1 ok",
            ])
    }

    @Test("the client's refusal ends the call, and withdraws what else it was asked")
    func refused() throws {
        let harness = RouterHarness.modernOnly()
        let session = harness.ready(capabilities: #"{"sampling":{},"roots":{}}"#)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.answer("tools/call", of: harness.shared, Self.asks)
        let ids = (harness.sent[session]?.suffix(2) ?? []).compactMap { Text.member("id", $0) }
        harness.receive(#"{"jsonrpc":"2.0","id":\#(ids[0]),"error":{"code":-1,"message":"no"}}"#, from: session)
        #expect(
            harness.sent[session]?.contains { Text.path(["params", "requestId"], $0) == ids[1] } == true)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32603")
        #expect(harness.count(of: "tools/call", at: harness.shared) == 1)
        #expect(harness.trail.last == "RESPONSE 1 -32603")
    }

    @Test("what it did not declare is not asked; neither is anything endlessly")
    func bounds() throws {
        let harness = RouterHarness.modernOnly()
        let session = harness.ready(capabilities: #"{"roots":{}}"#)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.answer("tools/call", of: harness.shared, Self.asks)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""malformed_result""#)
        harness.receive(RouterHarness.call(id: "2", tool: "read"), from: session)
        let again = #"{"resultType":"input_required","requestState":"s"}"#
        for _ in 0..<10 {
            harness.answer("tools/call", of: harness.shared, again)
            harness.advance(0.1)
        }
        #expect(harness.count(of: "tools/call", at: harness.shared) == 12)
        harness.answer("tools/call", of: harness.shared, again)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""malformed_result""#)
        harness.receive(RouterHarness.call(id: "3", tool: "read"), from: session)
        harness.answer("tools/call", of: harness.shared, #"{"resultType":"exotic"}"#)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""malformed_result""#)
    }

    @Test("a client that cancels, or leaves, while it is being asked", arguments: [true, false])
    func cancelled(leaves: Bool) throws {
        let harness = RouterHarness.modernOnly()
        let session = harness.ready(capabilities: #"{"sampling":{},"roots":{}}"#)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.answer("tools/call", of: harness.shared, Self.asks)
        if leaves {
            harness.router.end(session, .connectionLost, at: harness.now)
            harness.perform()
        } else {
            harness.receive(
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#, from: session)
        }
        #expect(harness.trail.filter { $0.hasPrefix("RESPONSE 1") }.count == 1)
        #expect(harness.trail.filter { $0.hasPrefix("SERVER_RESPONSE") }.count == 2)
        #expect(harness.router.counts.pending == 1, "only the gateway's own subscription is left")
    }
}
