import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("A session's own process and the eras")
struct RouterOwnOpeningTests {
    @Test("a modern session that came before the era was known is not left waiting for an answer to a probe")
    func modernBeforeTheEra() throws {
        let harness = RouterHarness(RouterHarness.dedicatedSettings(era: .auto))
        harness.spawn(harness.shared)
        let session = harness.open()
        harness.receive(Modern.call(id: "1"), from: session)
        let own = try #require(harness.router.upstream(of: session))
        harness.spawn(own)
        #expect(harness.lastID(of: "server/discover", at: own) != nil)
        // The proving process is silent too, and its rival wins.
        harness.advance(3.1)
        let rival = try #require(harness.starts.last)
        harness.start(rival)
        let isRelaunched = harness.others.contains { if case .relaunch(own) = $0 { true } else { false } }
        #expect(isRelaunched)
        harness.start(own)
        harness.answer("tools/call", of: own, #"{"content":[]}"#)
        #expect(Text.path(["result", "resultType"], harness.last(session)) == #""complete""#)
    }

    @Test(
        "a session's process that keeps ending, or says nothing, is asked in the other era",
        arguments: [true, false])
    func otherEra(exits: Bool) throws {
        let harness = RouterHarness(RouterHarness.dedicatedSettings(era: .auto))
        harness.startModern(harness.shared)
        let session = harness.open()
        harness.receive(RouterHarness.initialize(), from: session)
        let own = try #require(harness.router.upstream(of: session))
        harness.spawn(own)
        if exits {
            harness.exit(own)
            harness.spawn(own)
            harness.exit(own)
        } else {
            harness.advance(10.1)
            let isRelaunched = harness.others.contains { if case .relaunch(own) = $0 { true } else { false } }
            #expect(isRelaunched)
        }
        harness.startModern(own)
        #expect(Text.path(["result", "protocolVersion"], harness.last(session)) == #""2025-11-25""#)
    }

    @Test(
        "a refusal before the era is known waits for the proof, and is passed on where that shows a legacy server",
        arguments: [Era.modern, .legacy])
    func refusedBeforeProof(era: Era) throws {
        let harness = RouterHarness(RouterHarness.settings { $0.upstream.era = .auto })
        harness.spawn(harness.shared)
        let session = harness.open()
        harness.receive(RouterHarness.initialize(id: "1", capabilities: #"{"roots":{}}"#), from: session)
        let own = try #require(harness.router.upstream(of: session))
        harness.spawn(own)
        harness.reply(to: "initialize", of: own, #""error":{"code":-32601,"message":"no such method"}"#)
        #expect(harness.sent[session] == nil)
        if era == .modern {
            harness.answer("server/discover", of: harness.shared, Modern.discovered(capabilities: "{}"))
            #expect(Text.path(["result", "protocolVersion"], harness.last(session)) == #""2025-11-25""#)
        } else {
            harness.reply(to: "server/discover", of: harness.shared, #""error":{"code":-32601,"message":"no"}"#)
            harness.start(harness.shared)
            #expect(Text.path(["error", "message"], harness.last(session)) == #""no such method""#)
        }
    }

    @Test("a refusal that waited for the proof is passed on when the proof fails")
    func refusedAndNoProof() throws {
        let harness = RouterHarness(RouterHarness.settings { $0.upstream.era = .auto })
        harness.spawn(harness.shared)
        let session = harness.open()
        harness.receive(RouterHarness.initialize(id: "1", capabilities: #"{"roots":{}}"#), from: session)
        let own = try #require(harness.router.upstream(of: session))
        harness.spawn(own)
        harness.reply(to: "initialize", of: own, #""error":{"code":-32601,"message":"no such method"}"#)
        harness.router.failShared("it is gone", at: harness.now)
        harness.perform()
        #expect(Text.path(["error", "message"], harness.last(session)) == #""no such method""#)
    }

    @Test("after a reload to the modern era a session's own process is asked in it")
    func renewedInAnotherEra() throws {
        let harness = RouterHarness.dedicated()
        let session = harness.ready("a")
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        var settings = RouterHarness.dedicatedSettings()
        settings.upstream.era = .modern
        let next = RouterHarness.snapshot(settings, generation: 2)
        harness.router.replaceShared(for: next, at: harness.now)
        harness.perform()
        harness.startModern(try #require(harness.router.nextShared), capabilities: "{}")
        harness.router.adopt(next, at: harness.now)
        _ = harness.router.renewOwnUpstreams(at: harness.now)
        harness.perform()
        harness.exit(own)
        harness.startModern(own, capabilities: "{}")
        harness.receive(RouterHarness.call(id: "9", tool: "read"), from: session)
        let sent = try #require(harness.forwarded[own]?.last)
        #expect(sent.contains("io.modelcontextprotocol/protocolVersion"), "bridged")
    }
}
