import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("At most one shared process per era")
struct RouterSharedErasTests {
    @Test("the second one is started when a session needs it, once; its sessions wait for it")
    func second() throws {
        let harness = RouterHarness.modern()
        let first = harness.shared
        let modern = harness.open("m")
        harness.receive(Modern.call(id: "1"), from: modern)
        #expect(harness.starts == [first])
        let (one, two) = (harness.ready("a"), harness.ready("b"))
        #expect(harness.starts.count == 2)
        let second = try #require(harness.starts.last)
        #expect(harness.sent[one] == nil && harness.sent[two] == nil)
        harness.start(second)
        #expect(Text.path(["result", "protocolVersion"], harness.last(one)) == #""2025-11-25""#)
        #expect(Text.path(["result", "protocolVersion"], harness.last(two)) == #""2025-11-25""#)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: one)
        harness.answer("tools/call", of: second, #"{"from":2}"#)
        #expect(harness.last(one) == #"{"jsonrpc":"2.0","id":1,"result":{"from":2}}"#)
        harness.answer("tools/call", of: first, #"{"from":1}"#)
        #expect(harness.last(modern) == #"{"jsonrpc":"2.0","id":1,"result":{"from":1}}"#)
    }

    @Test("a legacy first process and a modern session need no second one: the probe has shown that there is none")
    func legacyFirst() throws {
        let harness = RouterHarness(RouterHarness.settings { $0.upstream.era = .auto })
        harness.spawn(harness.shared)
        harness.reply(to: "server/discover", of: harness.shared, #""error":{"code":-32601,"message":"no"}"#)
        harness.start(harness.shared)
        let session = harness.open()
        harness.receive(Modern.call(id: "1"), from: session)
        #expect(harness.starts.count == 2)
        #expect(harness.router.upstream(of: session) == harness.shared)
    }

    @Test("sessions that came before the first handshake are sorted by it, with what waits for them")
    func sorted() throws {
        let harness = RouterHarness(RouterHarness.settings { $0.upstream.era = .auto })
        let (legacy, modern) = (harness.ready("l"), harness.open("m"))
        harness.receive(RouterHarness.call(id: "5", tool: "read"), from: legacy)
        harness.receive(Modern.call(id: "5"), from: modern)
        let first = harness.shared
        harness.startModern(first)
        #expect(harness.count(of: "tools/call", at: first) == 1)
        let second = try #require(harness.starts.last)
        #expect(harness.router.upstream(of: legacy) == second)
        harness.start(second)
        #expect(harness.count(of: "tools/call", at: second) == 1)
        harness.answer("tools/call", of: second, "{}")
        #expect(harness.last(legacy) == #"{"jsonrpc":"2.0","id":5,"result":{}}"#)
    }

    @Test(
        "a second process that does not speak the era is ended for good, and its sessions go to the first",
        arguments: [true, false])
    func lacking(exits: Bool) throws {
        let harness = RouterHarness.modern()
        let session = harness.ready()
        let second = try #require(harness.starts.last)
        harness.spawn(second)
        if exits {
            harness.exit(second)
            #expect(harness.stops.isEmpty, "once may be an accident")
            harness.spawn(second)
            harness.exit(second)
        } else {
            harness.reply(
                to: "initialize", of: second,
                #""error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"],"requested":"2025-11-25"}}"#)
        }
        #expect(harness.stops == [second])
        #expect(harness.router.upstream(of: session) == harness.shared)
        #expect(harness.logs.contains { $0.contains("bridged") })
        _ = harness.ready("b")
        #expect(harness.starts.count == 2, "it is asked once")
    }

    @Test(
        "whatever a modern server answers to initialize, a session that declares capabilities is bridged",
        arguments: [
            #""error":{"code":-32601,"message":"no"}"#, #""error":{"code":-32602,"message":"no"}"#,
            #""error":{"code":-32022,"message":"no"}"#,
        ])
    func refusedInAnyWay(answer: String) throws {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(RouterHarness.initialize(id: "1", capabilities: #"{"elicitation":{}}"#), from: session)
        let own = try #require(harness.starts.last)
        #expect(own != harness.shared)
        harness.spawn(own)
        harness.reply(to: "initialize", of: own, answer)
        #expect(Text.path(["result", "protocolVersion"], harness.last(session)) == #""2025-11-25""#)
        #expect(harness.router.upstream(of: session) == harness.shared)
    }

    @Test("legacy sessions that a swap leaves without a process of their era are told that lists may be others")
    func swapToModernOnly() throws {
        let harness = RouterHarness.legacyOnly()
        let session = harness.ready()
        let next = RouterHarness.snapshot(RouterHarness.settings { $0.upstream.era = .auto }, generation: 2)
        harness.router.replaceShared(for: next, at: harness.now)
        harness.perform()
        let new = try #require(harness.starts.last)
        harness.startModern(new)
        let second = try #require(harness.starts.last)
        harness.spawn(second)
        let told = harness.sent[session]?.count ?? 0
        harness.reply(to: "initialize", of: second, #""error":{"code":-32601,"message":"no"}"#)
        #expect(harness.router.upstream(of: session) == new)
        let news = harness.sent[session]?.dropFirst(told).joined() ?? ""
        for list in ["prompts", "resources"] { #expect(news.contains("notifications/\(list)/list_changed")) }
    }

    @Test("a session that declares what a server may ask for needs no process of its own in front of a modern-only one")
    func ownModernOnly() throws {
        let harness = RouterHarness.modern(era: .modern)
        let session = harness.ready(capabilities: #"{"sampling":{}}"#)
        #expect(harness.router.upstream(of: session) == harness.shared)
        #expect(harness.starts.count == 1)
    }

    @Test("its own process that turns out to be modern-only is ended, and the session goes to the shared one")
    func ownFoundModernOnly() throws {
        let harness = RouterHarness.modern()
        let session = harness.ready(capabilities: #"{"sampling":{}}"#)
        let own = try #require(harness.router.upstream(of: session))
        #expect(own != harness.shared)
        harness.spawn(own)
        harness.reply(
            to: "initialize", of: own, #""error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}"#)
        #expect(harness.router.upstream(of: session) == harness.shared)
        #expect(harness.stops == [own])
    }

    @Test("a swap ends both; sessions of the other era get a process of theirs behind the next one")
    func swap() throws {
        let harness = RouterHarness.modern()
        let first = harness.shared
        let legacy = harness.ready()
        let second = try #require(harness.starts.last)
        harness.start(second)
        harness.receive(
            #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x://y"}}"#, from: legacy)
        harness.answer("resources/subscribe", of: second, "{}")
        let next = RouterHarness.snapshot(RouterHarness.settings { $0.upstream.era = .auto }, generation: 2)
        harness.router.replaceShared(for: next, at: harness.now)
        harness.perform()
        let new = try #require(harness.starts.last)
        harness.startModern(new)
        let newSecond = try #require(harness.starts.last)
        #expect(newSecond != new)
        #expect(Set(harness.stops) == [first, second])
        #expect(harness.router.upstream(of: legacy) == newSecond)
        harness.start(newSecond)
        #expect(harness.count(of: "resources/subscribe", at: newSecond) == 1, "its subscription is set up again")
        harness.receive(RouterHarness.call(id: "2", tool: "read"), from: legacy)
        harness.answer("tools/call", of: newSecond, "{}")
        #expect(harness.last(legacy) == #"{"jsonrpc":"2.0","id":2,"result":{}}"#)
    }

    @Test("a second process that has not shaken hands ends with the swap, and says nothing about the next command")
    func swapDuringHandshake() throws {
        let harness = RouterHarness.modern()
        _ = harness.open()
        harness.receive(RouterHarness.initialize(), from: harness.open("legacy"))
        let second = try #require(harness.starts.last)
        harness.spawn(second)
        let asked = try #require(harness.lastID(of: "initialize", at: second))
        let next = RouterHarness.snapshot(
            RouterHarness.settings {
                $0.upstream.era = .auto
                $0.upstream.command = ["other"]
            }, generation: 2)
        harness.router.replaceShared(for: next, at: harness.now)
        harness.perform()
        let new = try #require(harness.starts.last)
        harness.startModern(new)
        #expect(harness.stops.contains(second))
        let known = harness.router.verdict.first
        harness.receive(#"{"jsonrpc":"2.0","id":\#(asked),"error":{"code":-32601,"message":"no"}}"#, from: second)
        #expect(harness.router.verdict.first == known)
        #expect(known == .modern)
        #expect(harness.router.verdict.lacks.isEmpty)
    }

    @Test("a second process that says nothing does not keep its sessions waiting")
    func silentSecond() throws {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(RouterHarness.initialize(id: "1"), from: session)
        let second = try #require(harness.starts.last)
        harness.spawn(second)
        harness.advance(9.9)
        #expect(harness.sent[session] == nil)
        harness.advance(0.2)
        #expect(Text.path(["result", "protocolVersion"], harness.last(session)) == #""2025-11-25""#)
        #expect(harness.stops.contains(second))
    }

    @Test("a swap waits for the tools, though not longer than for the handshake")
    func swapWithoutTools() throws {
        let harness = RouterHarness.modern()
        let old = harness.shared
        let next = RouterHarness.snapshot(RouterHarness.settings { $0.upstream.era = .auto }, generation: 2)
        harness.router.replaceShared(for: next, at: harness.now)
        harness.perform()
        let new = try #require(harness.starts.last)
        harness.spawn(new)
        harness.answer("server/discover", of: new, Modern.discovered(capabilities: Modern.capabilities))
        harness.advance(29)
        #expect(harness.shared == old)
        harness.advance(1.1)
        #expect(harness.shared == new)
    }

    @Test("a second process that was proved, and is slow or refuses after a crash, is still what its sessions have")
    func provedAndSlow() throws {
        let harness = RouterHarness.modern()
        let session = harness.ready()
        let second = try #require(harness.starts.last)
        harness.start(second)
        harness.exit(second)
        harness.spawn(second)
        harness.advance(11)
        #expect(harness.router.upstream(of: session) == second)
        harness.reply(to: "initialize", of: second, #""error":{"code":-32603,"message":"not yet"}"#)
        #expect(harness.router.upstream(of: session) == second)
        #expect(!harness.logs.contains { $0.contains("bridged") })
    }

    @Test("a second process that crashes later is no proof: it is restarted, and calls wait")
    func crash() throws {
        let harness = RouterHarness.modern()
        let session = harness.ready()
        let second = try #require(harness.starts.last)
        harness.start(second)
        harness.exit(second)
        #expect(harness.router.upstream(of: session) == second)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.start(second)
        harness.answer("tools/call", of: second, "{}")
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
    }
}
