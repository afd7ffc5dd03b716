import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

extension RouterHarness {
    /// In front of a legacy upstream that was found out to be one.
    static func legacyOnly(
        tools: ToolAllowlistSettings? = nil, _ change: (inout Settings) -> Void = { _ in }
    ) -> RouterHarness {
        let harness = RouterHarness(settings(tools: tools, change))
        harness.start()
        return harness
    }

    /// In front of a modern upstream that has no other era.
    static func modernOnly(
        tools: ToolAllowlistSettings? = nil, _ change: (inout Settings) -> Void = { _ in }
    ) -> RouterHarness {
        modern(tools: tools, era: .modern, change)
    }
}

@Suite("Modern clients of a legacy upstream")
struct RouterToLegacyTests {
    @Test("the envelope goes, everything else stays; the result gets what the modern era demands")
    func call() throws {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        harness.receive(
            Modern.request(
                "tools/call", id: #""a""#, #""name":"read","arguments":{"n":1.50},"z":[1e400]"#,
                meta: Modern.meta(#""progressToken":"t","traceparent":"00","#)), from: session)
        let id = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        #expect(
            harness.forwarded[harness.shared]?.last
                == #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"read","arguments":{"n":1.50},"#
                + #""z":[1e400],"_meta":{"progressToken":\#(id),"traceparent":"00"}}}"#)
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(id),"progress":1}}"#,
            from: harness.shared)
        #expect(Text.path(["params", "progressToken"], harness.last(session)) == #""t""#)
        harness.answer("tools/call", of: harness.shared, #"{"content":[],"x":1.50}"#)
        let result = try #require(Text.member("result", harness.last(session)))
        #expect(Text.member("id", harness.last(session)) == #""a""#)
        #expect(Text.member("resultType", result) == #""complete""#)
        #expect(Text.member("x", result) == "1.50")
        #expect(Text.member("ttlMs", result) == nil)
        #expect(
            harness.trail.suffix(3) == [
                "REQUEST a tools/call read", "NOTIFICATION upstream notifications/progress", "RESPONSE a ok",
            ])
    }

    @Test("a list is filtered and gets caching hints")
    func list() throws {
        let harness = RouterHarness.legacyOnly(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["read"]))
        let session = harness.open()
        harness.receive(Modern.request("tools/list", id: "1"), from: session)
        harness.answer("tools/list", of: harness.shared, #"{"tools":[{"name":"read"},{"name":"rm"}]}"#)
        let result = try #require(Text.member("result", harness.last(session)))
        #expect(Text.member("tools", result) == #"[{"name":"read"}]"#)
        #expect(Text.member("ttlMs", result) == "0")
        #expect(Text.member("cacheScope", result) == #""private""#)
        #expect(harness.trail.contains("TOOLS_FILTERED 1 1"))
    }

    @Test("a notification leaves its envelope behind")
    func notification() {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        harness.receive(Modern.call(id: "1"), from: session)
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/acme","params":{"x":1.50,\#(Modern.meta(#""a":2,"#))}}"#,
            from: session)
        #expect(
            harness.forwarded[harness.shared]?.last
                == #"{"jsonrpc":"2.0","method":"notifications/acme","params":{"x":1.50,"_meta":{"a":2}}}"#)
    }

    @Test("server/discover is made from the handshake")
    func discover() throws {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        harness.receive(Modern.request("server/discover", id: "1"), from: session)
        let result = try #require(Text.member("result", harness.last(session)))
        #expect(Text.member("supportedVersions", result) == #"["2026-07-28"]"#)
        #expect(Text.member("resultType", result) == #""complete""#)
        #expect(Text.path(["capabilities", "tools", "listChanged"], result) == "true")
        #expect(Text.path(["_meta", "io.modelcontextprotocol/serverInfo", "name"], result) == #""u""#)
    }

    @Test("the two codes that the modern era has given up get others")
    func errors() {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        harness.receive(Modern.request("resources/read", id: "1", #""uri":"x://y""#), from: session)
        harness.reply(to: "resources/read", of: harness.shared, #""error":{"code":-32002,"message":"none"}"#)
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"none"}}"#)
        #expect(harness.trail.last == "RESPONSE 1 -32002")
    }

    @Test("logLevel becomes logging/setLevel, and only a request that has one gets log messages")
    func logs() throws {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#
        harness.receive(Modern.call(id: "1"), from: session)
        harness.receive(log, from: harness.shared)
        #expect(harness.sent[session] == nil)
        harness.receive(Modern.call(id: "2", level: "info"), from: session)
        let methods = harness.forwarded[harness.shared]?.suffix(2).compactMap { Text.member("method", $0) }
        #expect(methods == [#""logging/setLevel""#, #""tools/call""#])
        harness.receive(log, from: harness.shared)
        #expect(harness.last(session) == log)
    }

    @Test("subscriptions/listen is acknowledged here and fed from the upstream's notifications")
    func listen() throws {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        harness.receive(
            Modern.listen(id: #""L""#, #"{"toolsListChanged":true,"resourceSubscriptions":["x://y"],"other":true}"#),
            from: session)
        let acknowledged = harness.last(session)
        #expect(Text.member("method", acknowledged) == #""notifications/subscriptions/acknowledged""#)
        #expect(
            Text.path(["params", "notifications"], acknowledged)
                == #"{"toolsListChanged":true,"resourceSubscriptions":["x://y"]}"#)
        let key = ["params", "_meta", "io.modelcontextprotocol/subscriptionId"]
        #expect(Text.path(key, acknowledged) == #""L""#)
        #expect(harness.count(of: "resources/subscribe", at: harness.shared) == 1)
        let update = #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://y"}}"#
        harness.receive(update, from: harness.shared)
        #expect(Text.path(key, harness.last(session)) == #""L""#)
        #expect(Text.path(["params", "uri"], harness.last(session)) == #""x://y""#)
        harness.receive(#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#, from: harness.shared)
        #expect(Text.member("method", harness.last(session)) == #""notifications/tools/list_changed""#)
        #expect(Text.path(key, harness.last(session)) == #""L""#)
        let count = harness.sent[session]?.count
        harness.receive(#"{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}"#, from: harness.shared)
        #expect(harness.sent[session]?.count == count, "it did not ask for this")
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"L"}}"#, from: session)
        #expect(harness.count(of: "resources/unsubscribe", at: harness.shared) == 1)
        #expect(harness.count(of: "notifications/cancelled", at: harness.shared) == 0, "it has nothing to cancel there")
        harness.receive(update, from: harness.shared)
        #expect(harness.sent[session]?.count == count)
        #expect(harness.trail.contains("RESPONSE L cancelled"))
    }

    @Test("a bridged subscription outlives its upstream's process")
    func listenRestart() {
        let harness = RouterHarness.legacyOnly()
        let session = harness.open()
        harness.receive(Modern.listen(id: "1", #"{"resourceSubscriptions":["x://y"]}"#), from: session)
        let count = harness.sent[session]?.count
        harness.exit(harness.shared)
        harness.start(harness.shared)
        #expect(harness.sent[session]?.count == count)
        #expect(harness.count(of: "resources/subscribe", at: harness.shared) == 2)
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://y"}}"#,
            from: harness.shared)
        #expect(harness.sent[session]?.count == (count ?? 0) + 1)
    }
}

@Suite("Bridged sessions with processes of their own")
struct RouterDedicatedBridgeTests {
    @Test("a modern client in front of a legacy command: its process is told initialize by its envelope")
    func modernClient() throws {
        let harness = RouterHarness(RouterHarness.settings { $0.upstream.sessions = .dedicated })
        harness.start(capabilities: "{}")
        let session = harness.open()
        harness.receive(Modern.call(id: "1", capabilities: #"{"roots":{}}"#), from: session)
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        let opening = try #require(harness.forwarded[own]?.first)
        #expect(Text.path(["params", "capabilities"], opening) == #"{"roots":{}}"#)
        harness.answer("tools/call", of: own, #"{"content":[]}"#)
        #expect(Text.path(["result", "resultType"], harness.last(session)) == #""complete""#)
        // What it discovers is that process's own answer.
        harness.receive(Modern.request("server/discover", id: "2"), from: session)
        #expect(Text.path(["result", "supportedVersions"], harness.last(session)) == #"["2026-07-28"]"#)
    }

    @Test("a legacy client in front of a modern command", arguments: [UpstreamEra.auto, .modern])
    func legacyClient(era: UpstreamEra) throws {
        let harness = RouterHarness.modern(era: era, capabilities: "{}") { $0.upstream.sessions = .dedicated }
        let session = harness.open()
        harness.receive(RouterHarness.initialize(capabilities: #"{"sampling":{}}"#), from: session)
        let own = try #require(harness.router.upstream(of: session))
        if era == .auto {
            // It is asked for its own era first.
            harness.spawn(own)
            harness.reply(
                to: "initialize", of: own,
                #""error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}"#)
            #expect(harness.others.contains { if case .relaunch(own) = $0 { true } else { false } })
            harness.exit(own)
        }
        harness.startModern(own)
        #expect(Text.path(["result", "protocolVersion"], harness.last(session)) == #""2025-11-25""#)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.answer("tools/call", of: own, #"{"resultType":"complete","content":[]}"#)
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#)
    }

    @Test("a process found to be legacy only is followed by one that is told initialize")
    func foundLegacy() throws {
        let harness = RouterHarness(
            RouterHarness.settings {
                $0.upstream.era = .auto
                $0.upstream.sessions = .dedicated
            })
        let session = harness.open()
        harness.receive(Modern.call(id: "1"), from: session)
        let own = try #require(harness.router.upstream(of: session))
        harness.spawn(own)
        harness.reply(to: "server/discover", of: own, #""error":{"code":-32601,"message":"no"}"#)
        #expect(harness.others.contains { if case .relaunch(own) = $0 { true } else { false } })
        harness.exit(own)
        harness.start(own)
        harness.answer("tools/call", of: own, #"{"content":[]}"#)
        #expect(Text.path(["result", "resultType"], harness.last(session)) == #""complete""#)
    }
}
