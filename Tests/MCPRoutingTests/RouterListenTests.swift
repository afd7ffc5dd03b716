import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("Subscriptions of the modern era")
struct RouterListenTests {
    /// A session with one open subscription, which is acknowledged.
    private func listening(
        _ filter: String = #"{"toolsListChanged":true}"#, _ harness: RouterHarness = .modern()
    ) throws -> (RouterHarness, SessionID, Int) {
        let session = harness.open()
        harness.receive(Modern.listen(id: #""L""#, filter), from: session)
        let id = try #require(harness.lastID(of: "subscriptions/listen", at: harness.shared))
        acknowledge(id, by: harness.shared, harness)
        return (harness, session, id)
    }

    private func acknowledge(_ id: Int, by upstream: UpstreamID, _ harness: RouterHarness) {
        harness.receive(notification("subscriptions/acknowledged", "\(id)", #","notifications":{}"#), from: upstream)
    }

    private func notification(_ name: String, _ id: String, _ more: String = "") -> String {
        #"{"jsonrpc":"2.0","method":"notifications/\#(name)","params":{"_meta":"#
            + #"{"io.modelcontextprotocol/subscriptionId":\#(id)}\#(more)}}"#
    }

    @Test("notifications carry the client's own id, and come to nobody else")
    func mapped() throws {
        let (harness, session, id) = try listening()
        let other = harness.open("b")
        harness.receive(Modern.call(id: "1"), from: other)
        #expect(harness.last(session) == notification("subscriptions/acknowledged", #""L""#, #","notifications":{}"#))
        harness.receive(notification("tools/list_changed", "\(id)"), from: harness.shared)
        #expect(harness.last(session) == notification("tools/list_changed", #""L""#))
        harness.receive(notification("tools/list_changed", "99"), from: harness.shared)
        harness.receive(#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#, from: harness.shared)
        #expect(harness.sent[session]?.count == 2)
        #expect(harness.sent[other] == nil)
        #expect(harness.trail.last?.hasSuffix("(dropped: names no subscription)") == true)
    }

    @Test("there is no deadline, and none of the rules for calls counts it")
    func endless() throws {
        let (harness, session, _) = try listening()
        for _ in 0..<100 { harness.advance(60) }
        #expect(!harness.trail.contains { $0.hasPrefix("RESPONSE L") })
        #expect(!harness.router.hasOpenCalls)
        #expect(!harness.router.isIdle(session))
        harness.receive(Modern.call(id: "1"), from: session)
        harness.advance(61)
        #expect(harness.trail.contains("RESPONSE 1 timeout"))
    }

    @Test("the client's cancel ends it upstream, with one RESPONSE and no answer")
    func cancelled() throws {
        let (harness, session, id) = try listening()
        let count = harness.sent[session]?.count
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"L"}}"#, from: session)
        #expect(
            harness.forwarded[harness.shared]?.last
                == #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#)
        #expect(harness.sent[session]?.count == count)
        #expect(harness.trail.contains("RESPONSE L cancelled"))
        harness.receive(notification("tools/list_changed", "\(id)"), from: harness.shared)
        #expect(harness.sent[session]?.count == count)
        harness.advance(61)
        #expect(harness.router.counts.pending == 1, "the tombstone goes after request_timeout; the gateway's own stays")
    }

    @Test("the upstream's end of it reaches the client as a result or as a cancellation")
    func endedByUpstream() throws {
        let (harness, session, id) = try listening()
        harness.receive(
            #"{"jsonrpc":"2.0","id":\#(id),"result":{"resultType":"complete","#
                + #""_meta":{"io.modelcontextprotocol/subscriptionId":\#(id)}}}"#, from: harness.shared)
        #expect(
            harness.last(session)
                == #"{"jsonrpc":"2.0","id":"L","result":{"resultType":"complete","#
                + #""_meta":{"io.modelcontextprotocol/subscriptionId":"L"}}}"#)
        let (second, other, number) = try listening()
        second.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(number)}}"#,
            from: second.shared)
        #expect(
            second.last(other) == #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"L"}}"#)
        #expect(second.trail.contains("RESPONSE L cancelled"))
    }

    @Test("the end of the client's input ends it with a result, so that the session can end")
    func endOfInput() throws {
        let (harness, session, _) = try listening()
        harness.router.inputEnded(session, at: harness.now)
        harness.perform()
        #expect(
            harness.last(session)
                == #"{"jsonrpc":"2.0","id":"L","result":{"resultType":"complete","#
                + #""_meta":{"io.modelcontextprotocol/subscriptionId":"L"}}}"#)
        #expect(harness.trail.last == "SESSION_END end_of_input")
    }

    @Test("it is opened again with the next process, which the client does not notice")
    func restart() throws {
        let (harness, session, _) = try listening()
        let count = harness.sent[session]?.count
        harness.exit(harness.shared)
        #expect(harness.sent[session]?.count == count)
        harness.startModern(harness.shared)
        // One of the gateway's own and one of the client, each time.
        #expect(harness.count(of: "subscriptions/listen", at: harness.shared) == 4)
        let id = try #require(harness.lastID(of: "subscriptions/listen", at: harness.shared))
        acknowledge(id, by: harness.shared, harness)
        #expect(harness.sent[session]?.count == count, "it was acknowledged before")
        harness.receive(notification("tools/list_changed", "\(id)"), from: harness.shared)
        #expect(harness.last(session) == notification("tools/list_changed", #""L""#))
    }

    @Test("a swap moves it to the next process, and the former one ends")
    func swap() throws {
        let (harness, session, id) = try listening()
        let old = harness.shared
        let next = RouterHarness.snapshot(RouterHarness.settings { $0.upstream.era = .auto }, generation: 2)
        harness.router.replaceShared(for: next, at: harness.now)
        harness.perform()
        let new = try #require(harness.starts.last)
        harness.startModern(new)
        #expect(harness.shared == new)
        #expect(
            harness.forwarded[old]?.last.flatMap { Text.path(["params", "requestId"], $0) } == "\(id)")
        #expect(harness.stops == [old])
        let moved = try #require(harness.lastID(of: "subscriptions/listen", at: new))
        let count = harness.sent[session]?.count ?? 0
        acknowledge(moved, by: new, harness)
        #expect(harness.sent[session]?.count == count + 1)
        #expect(harness.last(session) == notification("tools/list_changed", #""L""#), "its lists may be others")
        harness.receive(notification("tools/list_changed", "\(moved)"), from: new)
        #expect(harness.last(session) == notification("tools/list_changed", #""L""#))
    }

    @Test(
        "a process that comes back after a crash with other tools: told once; with the same ones: not at all",
        arguments: [["read", "write"], ["read"]])
    func crash(tools: [String]) throws {
        let (harness, session, _) = try listening()
        harness.exit(harness.shared)
        harness.spawn(harness.shared)
        let count = harness.sent[session]?.count ?? 0
        harness.answer("server/discover", of: harness.shared, Modern.discovered(capabilities: Modern.capabilities))
        let again = try #require(harness.lastID(of: "subscriptions/listen", at: harness.shared))
        acknowledge(again, by: harness.shared, harness)
        harness.answerTools(tools, of: harness.shared)
        let told = harness.sent[session]?.dropFirst(count).filter { $0.contains("tools/list_changed") }
        #expect(told?.count == (tools.count == 1 ? 1 : 0))
    }

    @Test("a reload that changes what a client sees is told to those who asked for it")
    func policies() throws {
        let (harness, session, _) = try listening()
        func adopt(_ tools: [String], generation: Int) {
            harness.router.adopt(
                RouterHarness.snapshot(
                    RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: tools)) {
                        $0.upstream.era = .auto
                    }, generation: generation), at: harness.now)
            harness.perform()
        }
        let before = harness.sent[session]?.count ?? 0
        adopt(["read", "write"], generation: 2)
        #expect(harness.sent[session]?.count == before, "all of its tools are still there")
        adopt(["read"], generation: 3)
        #expect(harness.last(session) == notification("tools/list_changed", #""L""#))
        #expect(harness.sent[session]?.count == before + 1)
    }

    @Test("a filter that is longer than the gateway keeps is refused, and the cap named")
    func longest() {
        let harness = RouterHarness.modern()
        let session = harness.open()
        let uris = String(
            repeating: #""x://yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy","#, count: 1000)
        harness.receive(Modern.listen(id: "1", #"{"resourceSubscriptions":[\#(uris)"x://z"]}"#), from: session)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""overloaded""#)
        #expect(Text.path(["error", "message"], harness.last(session))?.contains("65536") == true)
    }

    @Test("its records go by the snapshot in force when they are written")
    func snapshot() throws {
        let (harness, session, _) = try listening()
        harness.router.adopt(
            RouterHarness.snapshot(RouterHarness.settings { $0.upstream.era = .auto }, generation: 2), at: harness.now)
        harness.perform()
        #expect(
            harness.others.contains { if case .generationEnded(1) = $0 { true } else { false } },
            "an open subscription holds no sink of the past")
        harness.router.end(session, .connectionLost, at: harness.now)
        harness.perform()
        let response = try #require(harness.events.last { if case .response = $0.kind { true } else { false } })
        #expect(response.snapshot.generation == 2)
    }
}
