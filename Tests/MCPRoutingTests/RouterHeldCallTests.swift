import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import NIOCore
import Testing

@testable import MCPRouting

@Suite("What a legacy upstream asks a modern client")
struct RouterHeldCallTests {
    static let capabilities = #"{"sampling":{},"elicitation":{}}"#

    /// A session whose call its own legacy process has interrupted with a question.
    private func asked() throws -> (RouterHarness, SessionID, UpstreamID, state: String, key: String) {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        harness.receive(Modern.call(id: "1", capabilities: Self.capabilities), from: session)
        let own = try #require(harness.router.upstream(of: session))
        #expect(own != harness.shared)
        harness.start(own)
        harness.receive(
            #"{"jsonrpc":"2.0","id":"s","method":"elicitation/create","params":{"message":"?","requestedSchema":{}}}"#,
            from: own)
        let result = try #require(Text.member("result", harness.last(session)))
        let requests = try #require(Text.member("inputRequests", result))
        let key = String(requests.dropFirst(2).prefix { $0 != "\"" })
        let state = try #require(Text.member("requestState", result))
        return (harness, session, own, state, key)
    }

    private func retry(
        _ id: String, _ state: String, _ responses: String, tool: String = "read"
    ) -> String {
        Modern.request(
            "tools/call", id: id,
            #""name":"\#(tool)","arguments":{},"inputResponses":\#(responses),"requestState":\#(state)"#,
            meta: Modern.meta(capabilities: Self.capabilities))
    }

    @Test("the process of its own is told of what the envelope declares")
    func initialize() throws {
        let (harness, _, own, _, _) = try asked()
        let sent = try #require(harness.forwarded[own]?.first)
        #expect(Text.member("method", sent) == #""initialize""#)
        #expect(Text.path(["params", "capabilities"], sent) == Self.capabilities)
        #expect(Text.path(["params", "clientInfo", "name"], sent) == #""Test Client""#)
    }

    @Test("the call is answered with the question, and the retry brings the answer and gets the result")
    func round() throws {
        let (harness, session, own, state, key) = try asked()
        let result = try #require(Text.member("result", harness.last(session)))
        #expect(Text.member("resultType", result) == #""input_required""#)
        #expect(Text.path(["inputRequests", key, "method"], result) == #""elicitation/create""#)
        #expect(harness.trail.last == "RESPONSE 1 ok")
        harness.receive(retry("2", state, #"{"\#(key)":{"action":"accept"}}"#), from: session)
        #expect(harness.forwarded[own]?.last == #"{"jsonrpc":"2.0","id":"s","result":{"action":"accept"}}"#)
        #expect(harness.count(of: "tools/call", at: own) == 1, "no request is sent upstream twice")
        let id = try #require(harness.lastID(of: "tools/call", at: own))
        harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":{"content":[]}}"#, from: own)
        let answer = harness.last(session)
        #expect(Text.member("id", answer) == "2")
        #expect(Text.path(["result", "resultType"], answer) == #""complete""#)
        #expect(
            harness.trail.filter { !$0.hasPrefix("UPSTREAM") } == [
                "SESSION_START", "REQUEST 1 tools/call read", "SERVER_REQUEST s elicitation/create", "RESPONSE 1 ok",
                "REQUEST 2 tools/call read", "SERVER_RESPONSE s ok", "RESPONSE 2 ok",
            ])
        #expect(harness.router.counts.calls == 0)
    }

    @Test("what the client did not declare is refused; an upstream that cannot do without has the client told of it")
    func cannotDoWithout() throws {
        let ask =
            #"{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}"#
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        for (id, answer) in [("1", #""error":{"code":-32601,"message":"no"}"#), ("2", #""result":{"content":[]}"#)] {
            harness.receive(Modern.call(id: id), from: session)
            harness.receive(ask, from: harness.shared)
            #expect(harness.forwarded[harness.shared]?.last?.contains("-32601") == true)
            harness.reply(to: "tools/call", of: harness.shared, answer)
        }
        let (failed, done) = try (#require(harness.sent[session]?.dropLast().last), harness.last(session))
        #expect(Text.path(["error", "code"], failed) == "-32021")
        #expect(Text.path(["error", "data", "requiredCapabilities"], failed) == #"{"sampling":{}}"#)
        #expect(harness.trail.contains("RESPONSE 1 -32021"))
        #expect(Text.path(["result", "resultType"], done) == #""complete""#, "it has found another way")
    }

    @Test("what was declared and withheld is not asked for again; nor is any other failure taken for it")
    func withheldOrUnrelated() {
        let ask =
            #"{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}"#
        let harness = RouterHarness.legacyOnly { $0.upstream.maxDedicated = 0 }
        let session = harness.open()
        harness.receive(Modern.call(id: "1", capabilities: Self.capabilities), from: session)
        harness.receive(ask, from: harness.shared)
        harness.reply(to: "tools/call", of: harness.shared, #""error":{"code":-32601,"message":"no"}"#)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32601", "it was declared")
        harness.receive(Modern.call(id: "2"), from: session)
        harness.receive(ask, from: harness.shared)
        harness.reply(to: "tools/call", of: harness.shared, #""error":{"code":-32603,"message":"disk full"}"#)
        #expect(Text.path(["error", "message"], harness.last(session)) == #""disk full""#)
    }

    @Test("a question that its client abandoned does not stop the clock of other calls")
    func abandoned() throws {
        let (harness, session, own, _, _) = try asked()
        harness.receive(Modern.call(id: "2", capabilities: Self.capabilities), from: session)
        #expect(harness.count(of: "tools/call", at: own) == 2)
        harness.advance(61)
        #expect(Text.member("id", harness.last(session)) == "2")
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""timeout""#)
    }

    @Test("with two calls in flight nobody can say which one lacked it")
    func undeclaredInDoubt() {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        harness.receive(Modern.call(id: "1"), from: session)
        harness.receive(Modern.call(id: "2"), from: session)
        harness.receive(
            #"{"jsonrpc":"2.0","id":"s","method":"roots/list"}"#, from: harness.shared)
        harness.reply(to: "tools/call", of: harness.shared, #""error":{"code":-32603,"message":"no"}"#)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32603")
    }

    @Test("a state is good once, for its session, its tool, its time; and unchanged")
    func hostile() throws {
        func refused(_ harness: RouterHarness, _ session: SessionID, _ own: UpstreamID, id: String) {
            #expect(Text.member("id", harness.last(session)) == id)
            #expect(Text.path(["error", "code"], harness.last(session)) == "-32602")
            #expect(harness.trail.last == "RESPONSE \(id) -32602")
            #expect(!(harness.forwarded[own] ?? []).contains { Text.member("id", $0) == #""s""# })
        }
        let (harness, session, own, state, key) = try asked()
        let good = #"{"\#(key)":{"action":"accept"}}"#
        harness.receive(retry("2", #""forged""#, good), from: session)
        refused(harness, session, own, id: "2")
        var tampered = Array(state.utf8)
        tampered[40] = tampered[40] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        harness.receive(retry("3", String(decoding: tampered, as: UTF8.self), good), from: session)
        refused(harness, session, own, id: "3")
        harness.receive(retry("4", state, good, tool: "write"), from: session)
        refused(harness, session, own, id: "4")
        let other = harness.open("other")
        harness.receive(retry("5", state, good), from: other)
        let othersOwn = try #require(harness.router.upstream(of: other))
        harness.start(othersOwn)
        refused(harness, other, own, id: "5")
        harness.receive(retry("6", state, "[]"), from: session)
        refused(harness, session, own, id: "6")
        // None of this has used it up.
        harness.receive(retry("7", state, good), from: session)
        #expect(harness.forwarded[own]?.last == #"{"jsonrpc":"2.0","id":"s","result":{"action":"accept"}}"#)
        harness.receive(retry("8", state, good), from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32602")
        let told = [
            "refused a retry whose requestState is malformed", "refused a retry whose requestState is forged",
            "refused a retry whose requestState is foreign", "refused a retry whose requestState is foreign",
            "refused a retry whose requestState was used before, or its call has ended",
        ]
        #expect(harness.logs.filter { $0.contains("requestState") } == told)
        let recorded = harness.events.compactMap { event -> String? in
            guard case .response(_, let outcome) = event.kind else { return nil }
            return outcome.failure?.message
        }
        #expect(recorded.filter { $0.contains("whose requestState") } == told, "the client does not learn which")
    }

    @Test("answers without a state are no retry: the call is a new one, and is asked about again")
    func answersWithoutState() throws {
        let (harness, session, own, _, key) = try asked()
        let answers = #""name":"read","arguments":{},"inputResponses":{"\#(key)":{"action":"accept"}}"#
        harness.receive(
            Modern.request("tools/call", id: "2", answers, meta: Modern.meta(capabilities: Self.capabilities)),
            from: session)
        #expect(harness.count(of: "tools/call", at: own) == 2)
        harness.receive(
            Modern.request("tools/list", id: "3", #""inputResponses":{}"#, meta: Modern.meta()), from: session)
        #expect(harness.count(of: "tools/list", at: own) == 2, "the gateway's own, and this one")
    }

    @Test("where results are recorded, so is what the client was asked")
    func recordedQuestion() throws {
        let harness = RouterHarness.legacyOnly { $0.toolCallLog = true }
        let session = harness.open()
        harness.receive(Modern.call(id: "1", capabilities: Self.capabilities), from: session)
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        harness.receive(
            #"{"jsonrpc":"2.0","id":"s","method":"elicitation/create","params":{"message":"?","requestedSchema":{}}}"#,
            from: own)
        let recorded = harness.events.compactMap { event -> String? in
            guard case .response(_, let outcome) = event.kind else { return nil }
            return outcome.result.map { String(buffer: $0) }
        }
        #expect(recorded == [try #require(Text.member("result", harness.last(session)))])
    }

    @Test("a state expires, and what was held for it is given up")
    func expiry() throws {
        let (harness, session, own, state, key) = try asked()
        for _ in 0..<61 { harness.advance(10) }
        harness.receive(retry("2", state, #"{"\#(key)":{}}"#), from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32602")
        #expect(harness.trail.contains("SERVER_RESPONSE s timeout"))
        #expect(harness.count(of: "notifications/cancelled", at: own) == 1)
        #expect(harness.router.heldCalls.isEmpty)
    }

    @Test("states survive a reload that rotates the key")
    func rotation() throws {
        let (harness, session, own, state, key) = try asked()
        harness.router.adopt(RouterHarness.snapshot(RouterHarness.settings(), generation: 2), at: harness.now)
        harness.receive(retry("2", state, #"{"\#(key)":{"action":"decline"}}"#), from: session)
        #expect(harness.forwarded[own]?.last == #"{"jsonrpc":"2.0","id":"s","result":{"action":"decline"}}"#)
    }

    @Test("an answer that is missing is asked for again, with a new state")
    func missing() throws {
        let (harness, session, own, state, _) = try asked()
        harness.receive(retry("2", state, "{}"), from: session)
        let result = try #require(Text.member("result", harness.last(session)))
        #expect(Text.member("resultType", result) == #""input_required""#)
        #expect(Text.member("requestState", result) != state)
        #expect(harness.router.heldCalls.count == 1)
        #expect(!(harness.forwarded[own] ?? []).contains { Text.member("id", $0) == #""s""# })
    }

    @Test("what is asked while the client is away comes with its next retry")
    func later() throws {
        let (harness, session, own, state, key) = try asked()
        let count = harness.sent[session]?.count
        harness.receive(
            #"{"jsonrpc":"2.0","id":"t","method":"sampling/createMessage","params":{"maxTokens":1}}"#, from: own)
        #expect(harness.sent[session]?.count == count)
        harness.receive(retry("2", state, #"{"\#(key)":{"action":"accept"}}"#), from: session)
        let result = try #require(Text.member("result", harness.last(session)))
        #expect(Text.member("resultType", result) == #""input_required""#)
        #expect(Text.member("inputRequests", result)?.contains("sampling/createMessage") == true)
    }

    @Test("an upstream that answers without waiting is heard at the retry")
    func early() throws {
        let (harness, session, own, state, key) = try asked()
        harness.answer("tools/call", of: own, #"{"content":[1]}"#)
        harness.receive(retry("2", state, #"{"\#(key)":{"action":"accept"}}"#), from: session)
        #expect(Text.path(["result", "content"], harness.last(session)) == "[1]")
        #expect(harness.trail.last == "RESPONSE 2 ok")
    }

    @Test("a session that ends, or an upstream that exits, leaves nothing open", arguments: [true, false])
    func ends(session ends: Bool) throws {
        let (harness, session, own, state, key) = try asked()
        if ends {
            harness.router.end(session, .connectionLost, at: harness.now)
            harness.perform()
        } else {
            harness.exit(own)
            harness.start(own)
            harness.receive(retry("2", state, #"{"\#(key)":{}}"#), from: session)
            #expect(Text.path(["error", "code"], harness.last(session)) == "-32602")
        }
        #expect(harness.router.heldCalls.isEmpty)
        #expect(harness.trail.filter { $0.hasPrefix("SERVER_RESPONSE s") }.count == 1)
    }

    @Test("the retry's cancellation reaches the held call")
    func cancelled() throws {
        let (harness, session, own, state, key) = try asked()
        harness.receive(retry("2", state, #"{"\#(key)":{"action":"accept"}}"#), from: session)
        let id = try #require(harness.lastID(of: "tools/call", at: own))
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#, from: session)
        let sent = try #require(harness.forwarded[own]?.last)
        #expect(Text.path(["params", "requestId"], sent) == "\(id)")
        #expect(harness.trail.contains("RESPONSE 2 cancelled"))
    }

    @Test("beyond max_dedicated a client stays with the shared process, which may not ask it; the log says so")
    func withheld() throws {
        let harness = RouterHarness.legacyOnly { $0.upstream.maxDedicated = 0 }
        let session = harness.open()
        harness.receive(Modern.call(id: "1", capabilities: Self.capabilities), from: session)
        #expect(harness.router.upstream(of: session) == harness.shared)
        #expect(harness.count(of: "tools/call", at: harness.shared) == 1)
        #expect(harness.logs.contains { $0.contains("max_dedicated is 0") })
        harness.receive(#"{"jsonrpc":"2.0","id":"s","method":"roots/list"}"#, from: harness.shared)
        #expect(Text.path(["error", "code"], try #require(harness.forwarded[harness.shared]?.last)) == "-32601")
        #expect(harness.sent[session] == nil)
    }

    @Test("what is kept of a session's requests is bounded; beyond, its calls go on and are not asked anything")
    func kept() throws {
        let harness = RouterHarness.modernOnly()
        let session = harness.ready(capabilities: #"{"sampling":{}}"#)
        let big = String(repeating: "x", count: 12 << 20)
        for id in 1...6 {
            harness.receive(
                #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"read","arguments":{"a":"\#(big)"}}}"#,
                from: session)
        }
        let asks =
            #"{"resultType":"input_required","inputRequests":{"q":{"method":"sampling/createMessage","params":{}}}}"#
        harness.answer("tools/call", of: harness.shared, asks)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""malformed_result""#)
        let first = try #require(
            harness.forwarded[harness.shared]?.first { $0.contains("tools/call") }.flatMap { Text.member("id", $0) })
        harness.receive(#"{"jsonrpc":"2.0","id":\#(first),"result":\#(asks)}"#, from: harness.shared)
        #expect(Text.member("method", harness.last(session)) == #""sampling/createMessage""#)
    }

    @Test("what no call declares is refused")
    func undeclared() throws {
        let (harness, _, own, _, _) = try asked()
        harness.receive(#"{"jsonrpc":"2.0","id":"x","method":"tasks/list"}"#, from: own)
        #expect(Text.path(["error", "code"], try #require(harness.forwarded[own]?.last)) == "-32601")
    }
}
