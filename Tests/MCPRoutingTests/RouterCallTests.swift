import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing
import ToolPolicy

@testable import MCPRouting

@Suite("A call's way through the router")
struct RouterCallTests {
    @Test("a call is recorded, forwarded under our id and answered under the client's")
    func roundTrip() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: #""a-1""#, tool: "read"), from: session)
        let id = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":{"x": 1.50}}"#, from: harness.shared)
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":"a-1","result":{"x": 1.50}}"#)
        #expect(harness.trail.suffix(2) == ["REQUEST a-1 tools/call read", "RESPONSE a-1 ok"])
    }

    @Test(
        "ids are echoed as sent",
        arguments: ["1", "1.0", "1e0", #""1""#, #""\u0031""#, "-7", "123456789012345678901234567890"])
    func idsAsSent(id: String) throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: id, tool: "read"), from: session)
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(Text.member("id", harness.last(session)) == id)
    }

    @Test("an id already in flight is refused, however it is spelled")
    func duplicateID() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.receive(RouterHarness.call(id: "1.0", tool: "read"), from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32600")
        #expect(Text.member("id", harness.last(session)) == "1.0")
        #expect(harness.trail.last == "INVALID_MESSAGE client request id is already in flight")
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(Text.member("id", harness.last(session)) == "1")
    }

    @Test("two sessions with the same id get their own answers, in whatever order they come")
    func sameIDTwice() throws {
        let harness = RouterHarness()
        harness.start()
        let (first, second) = (harness.ready("a"), harness.ready("b"))
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: first)
        let firstID = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: second)
        harness.answer("tools/call", of: harness.shared, #"{"of":"b"}"#)
        harness.receive(#"{"jsonrpc":"2.0","id":\#(firstID),"result":{"of":"a"}}"#, from: harness.shared)
        #expect(Text.path(["result", "of"], harness.last(first)) == #""a""#)
        #expect(Text.path(["result", "of"], harness.last(second)) == #""b""#)
    }

    @Test("a progress token is mapped there and back", arguments: ["7", #""tok""#])
    func progress(token: String) throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read", token: token), from: session)
        let call = try #require(harness.forwarded[harness.shared]?.last)
        let ours = try #require(Text.path(["params", "_meta", "progressToken"], call))
        #expect(ours == Text.member("id", call))
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(ours),"progress":1}}"#,
            from: harness.shared)
        #expect(Text.path(["params", "progressToken"], harness.last(session)) == token)
    }

    @Test("a blocked tool never reaches the upstream, and its id comes back in the refusal")
    func blocked() {
        let harness = RouterHarness(
            RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["read"])))
        harness.start()
        let session = harness.ready()
        let before = harness.forwarded[harness.shared]?.count
        harness.receive(RouterHarness.call(id: "5", tool: "delete"), from: session)
        #expect(harness.forwarded[harness.shared]?.count == before)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32000")
        #expect(Text.path(["error", "data", "plugin"], harness.last(session)) == #""tool_allowlist""#)
        #expect(harness.trail.last == "SECURITY_BLOCK 5 Tool 'delete' is not in allowlist")
    }

    @Test("a tool call without an id is refused and never forwarded", arguments: [true, false])
    func callWithoutID(hasPolicy: Bool) {
        let tools = hasPolicy ? ToolAllowlistSettings(mode: .allowlist, tools: []) : nil
        let harness = RouterHarness(RouterHarness.settings(tools: tools))
        harness.start()
        let session = harness.ready()
        let before = harness.forwarded[harness.shared]?.count
        harness.receive(#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read"}}"#, from: session)
        #expect(harness.forwarded[harness.shared]?.count == before)
        #expect(
            harness.trail.last
                == (hasPolicy
                    ? "SECURITY_BLOCK - Tool 'read' is not in allowlist"
                    : "INVALID_MESSAGE client tools/call without a request id"))
    }

    @Test("a list of tools loses what is not permitted, and says so before its RESPONSE")
    func filtering() {
        let harness = RouterHarness(
            RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["read"])))
        harness.start()
        let session = harness.ready()
        harness.receive(#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#, from: session)
        harness.answer(
            "tools/list", of: harness.shared,
            #"{"tools":[{"name":"write"},{"name":"read","x":1.0},{"title":"?"}],"nextCursor":"c"}"#)
        #expect(
            Text.member("result", harness.last(session)) == #"{"tools":[{"name":"read","x":1.0}],"nextCursor":"c"}"#)
        #expect(harness.trail.suffix(2) == ["TOOLS_FILTERED 3 2", "RESPONSE 3 ok"])
    }

    @Test("a malformed list of tools is refused", arguments: ["{}", #"{"tools":{}}"#, #"{"tools":["x"]}"#])
    func malformedList(result: String) {
        let harness = RouterHarness(
            RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["read"])))
        harness.start()
        let session = harness.ready()
        harness.receive(#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#, from: session)
        harness.answer("tools/list", of: harness.shared, result)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32000")
        #expect(harness.trail.last == "RESPONSE 3 -32000")
    }

    @Test("with the audit's gate closed only ping is answered")
    func gateClosed() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.gateReason = "audit.log: no space left on device"
        let before = harness.forwarded[harness.shared]?.count
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32005")
        harness.receive(#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#, from: session)
        #expect(Text.member("result", harness.last(session)) == "{}")
        #expect(harness.forwarded[harness.shared]?.count == before)
    }

    @Test("a call beyond the session's share is answered and audited, and not forwarded")
    func overloaded() {
        let harness = RouterHarness(RouterHarness.settings { $0.limits.maxPendingPerSession = 2 })
        harness.start()
        let session = harness.ready()
        for id in 1...3 { harness.receive(RouterHarness.call(id: "\(id)", tool: "read"), from: session) }
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""overloaded""#)
        #expect(harness.trail.suffix(2) == ["REQUEST 3 tools/call read", "RESPONSE 3 overloaded"])
    }

    @Test("cancelling does not make room for more than the session's share")
    func cancelledCallsCount() {
        let harness = RouterHarness(RouterHarness.settings { $0.limits.maxPendingPerSession = 2 })
        harness.start()
        let session = harness.ready()
        for id in 1...2 {
            harness.receive(RouterHarness.call(id: "\(id)", tool: "read"), from: session)
            harness.receive(
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#, from: session)
        }
        harness.receive(RouterHarness.call(id: "3", tool: "read"), from: session)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""overloaded""#)
    }

    @Test("isError is an error in the audit and passes untouched to the client")
    func toolError() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.answer("tools/call", of: harness.shared, #"{"isError":true,"content":[{"type":"text","text":"no"}]}"#)
        #expect(harness.trail.last == "RESPONSE 1 isError")
        #expect(Text.path(["result", "isError"], harness.last(session)) == "true")
    }

    @Test(
        "what the upstream answers to nothing is audited and dropped",
        arguments: ["99999999", "0", "-1", #""1""#, "1e3", "null"])
    func answerToNothing(id: String) {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        let before = harness.sent[session]?.count
        harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#, from: harness.shared)
        #expect(harness.sent[session]?.count == before)
        #expect(harness.trail.last?.hasPrefix("INVALID_MESSAGE upstream") == true)
    }

    @Test("a large result waits for a worker and is answered once")
    func reviewElsewhere() throws {
        let harness = RouterHarness(
            RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["read"])))
        harness.start()
        let session = harness.ready()
        harness.receive(#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#, from: session)
        let padding = String(repeating: "x", count: Router.largeResult)
        harness.answer("tools/list", of: harness.shared, #"{"tools":[{"name":"write","d":"\#(padding)"}]}"#)
        guard case .review(let id, let message, let snapshot, let method)? = harness.others.last else {
            Issue.record("the result was not handed to a worker")
            return
        }
        let answers = harness.sent[session]?.count
        harness.router.reviewed(id, snapshot.policies.review(message, of: method), at: harness.now)
        harness.perform()
        #expect(harness.sent[session]?.count == (answers ?? 0) + 1)
        #expect(Text.path(["result", "tools"], harness.last(session)) == "[]")
    }
}
