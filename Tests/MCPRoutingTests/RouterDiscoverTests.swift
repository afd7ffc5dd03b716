import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("server/discover while the upstream starts")
struct RouterDiscoverTests {
    private func probing() -> (RouterHarness, SessionID) {
        let harness = RouterHarness(RouterHarness.settings { $0.upstream.era = .auto })
        harness.spawn(harness.shared)
        let session = harness.open()
        harness.receive(Modern.request("server/discover", id: "1"), from: session)
        return (harness, session)
    }

    @Test("the upstream's own answer is waited for, but not longer than clients wait")
    func patience() throws {
        let (harness, session) = probing()
        harness.advance(4.8)
        #expect(harness.sent[session] == nil)
        harness.advance(0.4)
        let answer = harness.last(session)
        #expect(Text.member("id", answer) == "1")
        #expect(Text.path(["result", "resultType"], answer) == #""complete""#)
        #expect(Text.path(["result", "supportedVersions"], answer) == #"["2026-07-28"]"#)
        #expect(Text.path(["result", "ttlMs"], answer) == "0", "a client that looks again reads the upstream's own")
        for capability in ["tools", "prompts", "resources", "completions", "logging"] {
            #expect(Text.path(["result", "capabilities", capability], answer) != nil)
        }
        #expect(harness.trail.last == "RESPONSE 1 ok")
    }

    @Test("it is answered once, whenever the upstream has started")
    func once() {
        let (harness, session) = probing()
        harness.advance(5.1)
        harness.answer("server/discover", of: harness.shared, Modern.discovered(capabilities: "{}"))
        #expect(harness.sent[session]?.count == 1)
        #expect(harness.router.counts.pending == 0)
        harness.receive(Modern.request("server/discover", id: "2"), from: session)
        #expect(Text.path(["result", "ttlMs"], harness.last(session)) == "10", "the upstream's own")
        harness.advance(10)
        #expect(harness.sent[session]?.count == 2)
    }

    @Test("one that comes while another waits has its own time; one that was cancelled gets no answer")
    func several() {
        let (harness, session) = probing()
        harness.advance(3)
        harness.receive(Modern.request("server/discover", id: "2"), from: session)
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#, from: session)
        harness.advance(2.2)
        #expect(harness.sent[session] == nil)
        harness.advance(3)
        #expect(harness.sent[session]?.count == 1)
        #expect(Text.member("id", harness.last(session)) == "2")
    }

    @Test("the process that only proves a dedicated upstream answers probes before it ends")
    func dedicated() {
        let harness = RouterHarness(RouterHarness.dedicatedSettings(era: .auto))
        let first = harness.shared
        harness.spawn(first)
        let session = harness.open()
        harness.receive(Modern.request("server/discover", id: "1"), from: session)
        harness.answer("server/discover", of: first, Modern.discovered(capabilities: "{}"))
        #expect(harness.stops == [first])
        #expect(Text.member("result", harness.last(session)) != nil)
    }

    @Test("calls still wait for the upstream itself")
    func calls() {
        let (harness, session) = probing()
        harness.receive(Modern.call(id: "2"), from: session)
        harness.advance(5.1)
        #expect(harness.sent[session]?.count == 1)
        harness.answer("server/discover", of: harness.shared, Modern.discovered(capabilities: "{}"))
        harness.answer("tools/call", of: harness.shared, #"{"content":[]}"#)
        #expect(Text.member("id", harness.last(session)) == "2")
    }
}
