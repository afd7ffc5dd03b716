import GatewayConfiguration
import GatewayEvents
import Testing

@testable import MCPRouting

/// What one client does to the eras' machinery must not reach another one.
@Suite("Clients of both eras beside each other")
struct RouterIsolationTests {
    private static func shared(_ harness: RouterHarness, mayBeAsked: Bool) -> SessionID {
        harness.router.open(
            SessionIdentity(sessionID: nil, transport: "http", peer: "127.0.0.1", clientName: nil, clientVersion: nil),
            mayBeAsked: mayBeAsked)
    }

    @Test("an initialize with an envelope opens no legacy session")
    func initializeWithEnvelope() {
        let harness = RouterHarness.legacyOnly()
        let session = Self.shared(harness, mayBeAsked: false)
        harness.receive(
            Modern.request("initialize", id: "1", #""protocolVersion":"2025-11-25","capabilities":{"sampling":{}}"#),
            from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32601")
        #expect(harness.router.counts.ownUpstreams == 0)
        harness.receive(Modern.call(id: "2"), from: session)
        harness.answer("tools/call", of: harness.shared, #"{"content":[]}"#)
        #expect(Text.member("result", harness.last(session)) != nil)
    }

    @Test("a session that several clients may share gets no process for what they declare, not after a restart either")
    func neverAsked() {
        let harness = RouterHarness.legacyOnly()
        let session = Self.shared(harness, mayBeAsked: false)
        harness.receive(Modern.call(id: "1", capabilities: #"{"sampling":{}}"#), from: session)
        #expect(harness.router.upstream(of: session) == harness.shared)
        harness.exit(harness.shared)
        harness.start(harness.shared)
        #expect(harness.router.upstream(of: session) == harness.shared)
        #expect(harness.router.counts.ownUpstreams == 0)
    }

    @Test("server/discover before the first handshake is as bounded as any request")
    func discoverIsBounded() {
        let harness = RouterHarness(RouterHarness.settings { $0.limits.maxPendingPerSession = 3 })
        let session = harness.open()
        for id in 1...3 { harness.receive(Modern.request("server/discover", id: "\(id)"), from: session) }
        #expect(harness.sent[session] == nil)
        harness.receive(Modern.request("server/discover", id: "4"), from: session)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""overloaded""#)
        #expect(harness.router.counts.calls == 3)
    }

    @Test("a client that is being asked rests the clock of its own call, not of others'")
    func ownClock() {
        let harness = RouterHarness.modernOnly { $0.timeouts.request = 3 }
        let asked = harness.ready(capabilities: #"{"sampling":{}}"#)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: asked)
        harness.answer(
            "tools/call", of: harness.shared,
            #"{"resultType":"input_required","inputRequests":{"q":{"method":"sampling/createMessage","params":{"maxTokens":5}}},"#
                + #""requestState":"s"}"#)
        #expect(Text.member("method", harness.last(asked)) == #""sampling/createMessage""#)
        let other = harness.ready("other")
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: other)
        harness.advance(4)
        #expect(Text.path(["error", "data", "reason"], harness.last(other)) == #""timeout""#)
        #expect(Text.member("method", harness.last(asked)) == #""sampling/createMessage""#, "it has time to think")
    }

    @Test("a bridged subscription takes back only what no other of its session wants")
    func countedSubscriptions() {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        func cancel(_ id: Int) {
            harness.receive(
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#, from: session)
        }
        harness.receive(Modern.listen(id: "1", #"{"resourceSubscriptions":["a:1","a:2"]}"#), from: session)
        harness.receive(Modern.listen(id: "2", #"{"resourceSubscriptions":["a:2"]}"#), from: session)
        #expect(harness.count(of: "resources/subscribe", at: harness.shared) == 2)
        cancel(1)
        #expect(harness.count(of: "resources/unsubscribe", at: harness.shared) == 1)
        cancel(2)
        #expect(harness.count(of: "resources/unsubscribe", at: harness.shared) == 2)
    }

    @Test("a session's bridged subscriptions want at most 1000 resources")
    func subscriptionsAreBounded() {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        func listen(_ id: Int, _ range: Range<Int>) {
            let uris = range.map { "\"a:\($0)\"" }.joined(separator: ",")
            harness.receive(Modern.listen(id: "\(id)", #"{"resourceSubscriptions":[\#(uris)]}"#), from: session)
        }
        listen(1, 0..<600)
        listen(2, 200..<1000)
        #expect(Text.member("method", harness.last(session)) == #""notifications/subscriptions/acknowledged""#)
        listen(3, 1000..<1001)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""overloaded""#)
        #expect(harness.count(of: "resources/subscribe", at: harness.shared) == 1000)
    }

    @Test("a modern client is asked only what it declared")
    func onlyWhatItDeclared() throws {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        harness.receive(Modern.call(id: "1", capabilities: #"{"elicitation":{}}"#), from: session)
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        harness.receive(
            #"{"jsonrpc":"2.0","id":"e","method":"elicitation/create","params":{"message":"?","requestedSchema":{}}}"#,
            from: own)
        #expect(Text.path(["result", "resultType"], harness.last(session)) == #""input_required""#)
        harness.receive(
            #"{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{"messages":[],"maxTokens":5}}"#,
            from: own)
        let refusal = try #require(harness.forwarded[own]?.last)
        #expect(Text.member("id", refusal) == #""s""#)
        #expect(Text.path(["error", "code"], refusal) == "-32601")
    }

    @Test("a hidden tool has no headers to check")
    func hiddenTool() {
        let harness = RouterHarness.modern(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["write"]))
        let annotated =
            #"{"resultType":"complete","tools":[{"name":"read","inputSchema":{"type":"object","properties":"#
            + #"{"a":{"type":"string","x-mcp-header":"A"}}}},{"name":"write","inputSchema":{"type":"object","properties":"#
            + #"{"a":{"type":"string","x-mcp-header":"A"}}}}]}"#
        let session = harness.open()
        harness.router.readTools(of: harness.shared, at: harness.now)
        harness.perform()
        harness.answer("tools/list", of: harness.shared, annotated)
        #expect(harness.router.parameterHeaders(of: "write", for: session) != nil)
        #expect(harness.router.parameterHeaders(of: "read", for: session) == nil)
    }
}
