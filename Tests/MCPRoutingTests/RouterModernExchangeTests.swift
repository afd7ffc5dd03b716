import EraTranslation
import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("Modern requests in exchanges of their own")
struct RouterModernExchangeTests {
    /// A peer over HTTP: without a session id.
    private func peer(_ harness: RouterHarness) -> SessionID {
        harness.router.open(
            SessionIdentity(sessionID: nil, transport: "http", peer: "192.0.2.1", clientName: nil, clientVersion: nil))
    }

    /// The process that proves a dedicated upstream has shaken hands, and was asked for its tools.
    private func proving() -> (RouterHarness, UpstreamID) {
        let harness = RouterHarness(RouterHarness.dedicatedSettings(era: .auto))
        let first = harness.shared
        harness.spawn(first)
        harness.answer("server/discover", of: first, Modern.discovered(capabilities: Modern.capabilities))
        return (harness, first)
    }

    @Test("the same id in two of them: each gets its own answer, progress and log messages")
    func apart() throws {
        let harness = RouterHarness.modern()
        let peer = peer(harness)
        let (one, two) = (Exchange(number: 1), Exchange(number: 2))
        harness.receive(Modern.call(id: "1", token: "1", level: "info"), from: peer, exchange: one)
        let first = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#
        harness.receive(log, from: harness.shared)
        #expect(harness.answers[one] == [log])
        harness.receive(Modern.call(id: "1"), from: peer, exchange: two)
        harness.answer("tools/call", of: harness.shared, #"{"to":2}"#)
        harness.receive(#"{"jsonrpc":"2.0","id":\#(first),"result":{"to":1}}"#, from: harness.shared)
        #expect(harness.answers[two] == [#"{"jsonrpc":"2.0","id":1,"result":{"to":2}}"#])
        #expect(harness.answers[one]?.last == #"{"jsonrpc":"2.0","id":1,"result":{"to":1}}"#)
        #expect(harness.endedExchanges == [two, one])
        #expect(!harness.trail.contains { $0.hasPrefix("SESSION") })
        harness.router.end(peer, .idle, at: harness.now)
        harness.perform()
        #expect(!harness.trail.contains { $0.hasPrefix("SESSION") })
    }

    @Test("one that is dropped cancels its request, and no other")
    func dropped() throws {
        let harness = RouterHarness.modern()
        let peer = peer(harness)
        let (one, two) = (Exchange(number: 1), Exchange(number: 2))
        harness.receive(Modern.call(id: "1"), from: peer, exchange: one)
        let first = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        harness.receive(Modern.listen(id: "1"), from: peer, exchange: two)
        let listen = try #require(harness.lastID(of: "subscriptions/listen", at: harness.shared))
        harness.router.dropped(one, of: peer, at: harness.now)
        harness.perform()
        func cancelled() -> [String] {
            (harness.forwarded[harness.shared] ?? []).filter { $0.contains("notifications/cancelled") }
                .compactMap { Text.path(["params", "requestId"], $0) }
        }
        #expect(cancelled() == ["\(first)"])
        #expect(harness.trail.last == "RESPONSE 1 cancelled")
        #expect(harness.answers[one] == nil)
        #expect(harness.endedExchanges == [one])
        harness.router.dropped(two, of: peer, at: harness.now)
        harness.perform()
        #expect(cancelled() == ["\(first)", "\(listen)"])
    }

    @Test("the records name each request's own client")
    func clients() {
        let harness = RouterHarness.modern()
        let peer = peer(harness)
        for (at, name) in ["a", "b", "a"].enumerated() {
            harness.receive(
                Modern.request("x/y", id: "\(at)", meta: Modern.meta(client: name)), from: peer,
                exchange: Exchange(number: UInt32(at + 1)))
        }
        let names = harness.events.compactMap { event in
            if case .request = event.kind { event.session?.clientName } else { nil }
        }
        #expect(names == ["a", "b", "a"])
    }

    @Test("which arguments a tool's calls repeat in headers is known from its schema")
    func headers() throws {
        let harness = RouterHarness(RouterHarness.settings { $0.upstream.era = .auto })
        harness.spawn(harness.shared)
        harness.answer("server/discover", of: harness.shared, Modern.discovered(capabilities: Modern.capabilities))
        let schema = #"{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}"#
        harness.answer(
            "tools/list", of: harness.shared,
            #"{"tools":[{"name":"plain","inputSchema":{}},{"name":"query","inputSchema":\#(schema)}]}"#)
        let peer = peer(harness)
        #expect(harness.router.parameterHeaders(of: "query", for: peer)?.names == ["Mcp-Param-Region"])
        #expect(harness.router.parameterHeaders(of: "plain", for: peer) == nil)
    }

    @Test("where sessions are dedicated, the process that proves the upstream has shown them already")
    func headersOfDedicated() throws {
        let (harness, first) = proving()
        #expect(harness.stops.isEmpty)
        let schema = #"{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}"#
        harness.answer("tools/list", of: first, #"{"tools":[{"name":"query","inputSchema":\#(schema)}]}"#)
        #expect(harness.stops == [first], "it has nothing more to show")
        let peer = peer(harness)
        #expect(harness.router.parameterHeaders(of: "query", for: peer)?.names == ["Mcp-Param-Region"])
    }

    @Test("a process that shows no tools is ended all the same")
    func noTools() throws {
        let (harness, first) = proving()
        harness.reply(to: "tools/list", of: first, #""error":{"code":-32603,"message":"no"}"#)
        #expect(harness.stops == [first])
    }
}
