import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("A process for each session")
struct RouterDedicatedTests {
    private func stops(_ harness: RouterHarness) -> [UpstreamID] {
        harness.others.compactMap { if case .stop(let id) = $0 { id } else { nil } }
    }

    private func starts(_ harness: RouterHarness) -> Int {
        harness.others.filter { if case .start = $0 { true } else { false } }.count
    }

    @Test("the start is proved by a process that shakes hands and ends")
    func proof() {
        let harness = RouterHarness(RouterHarness.dedicatedSettings())
        #expect(!harness.router.sharedUpstream.isReady)
        let proof = harness.shared
        harness.start(proof, capabilities: "{}")
        #expect(
            harness.others.contains {
                if case .upstreamReady(proof) = $0 { true } else { false }
            })
        #expect(stops(harness) == [proof])
        #expect(harness.router.sharedUpstream.isReady)
        #expect(harness.router.sharedUpstream.revision == "2025-11-25")
        #expect(harness.router.counts.pending == 0)
    }

    @Test("a proof that fails is told with its reason")
    func failedProof() {
        let harness = RouterHarness(RouterHarness.dedicatedSettings())
        harness.router.upstreamFailed(harness.shared, "cannot be started", at: harness.now)
        #expect(harness.router.sharedUpstream.failure == "cannot be started")
    }

    @Test("the handshake passes through: the client's params, the process's own revision and capabilities")
    func handshake() throws {
        let harness = RouterHarness.dedicated()
        let session = harness.open()
        harness.receive(
            RouterHarness.initialize(version: "2025-06-18", capabilities: #"{"x":{"y":1e400}}"#), from: session)
        let own = try #require(harness.router.upstream(of: session))
        #expect(own != harness.shared)
        harness.router.upstreamStarted(own, pid: 7, program: "true", restart: 0, at: harness.now)
        harness.perform()
        let sent = try #require(harness.forwarded[own]?.first)
        #expect(Text.path(["params", "capabilities"], sent) == #"{"x":{"y":1e400}}"#)
        #expect(Text.path(["params", "protocolVersion"], sent) == #""2025-06-18""#)
        // Newer than what the client offered: that is between the two of them.
        harness.answer(
            "initialize", of: own, #"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"z":1}},"u":[1.50]}"#)
        #expect(
            harness.last(session)
                == #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","#
                + #""capabilities":{"tools":{"listChanged":true,"z":1}},"u":[1.50]}}"#)
    }

    @Test("a process that refuses the handshake is heard as it is, and the client may try again")
    func refusal() throws {
        let harness = RouterHarness.dedicated()
        let session = harness.open()
        harness.receive(RouterHarness.initialize(), from: session)
        let own = try #require(harness.router.upstream(of: session))
        harness.router.upstreamStarted(own, pid: 7, program: "true", restart: 0, at: harness.now)
        harness.perform()
        let id = try #require(harness.lastID(of: "initialize", at: own))
        harness.receive(
            #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32602,"message":"no","data":{"supported":["x"]}}}"#,
            from: own)
        #expect(
            harness.last(session)
                == #"{"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"no","data":{"supported":["x"]}}}"#)
        #expect(harness.trail.last == "RESPONSE 0 -32602")
        #expect(stops(harness).contains(own))
        harness.receive(RouterHarness.initialize(id: "1"), from: session)
        #expect(harness.router.upstream(of: session) != own)
        #expect(harness.router.upstream(of: session) != nil)
    }

    @Test("sessions do not meet: each has its own process, which ends with it")
    func apart() throws {
        let harness = RouterHarness.dedicated()
        let sessions = (0..<3).map { harness.ready("\($0)") }
        let owns = try sessions.map { try #require(harness.router.upstream(of: $0)) }
        #expect(Set(owns).count == 3)
        for own in owns { harness.start(own) }
        for session in sessions { harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session) }
        for (at, own) in owns.enumerated() { harness.answer("tools/call", of: own, #"{"from":\#(at)}"#) }
        for (at, session) in sessions.enumerated() {
            #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":1,"result":{"from":\#(at)}}"#)
        }
        harness.router.end(sessions[1], .connectionLost, at: harness.now)
        harness.perform()
        #expect(stops(harness).last == owns[1])
    }

    @Test("a crash answers the session's calls once, later ones wait for the next process")
    func crash() throws {
        let harness = RouterHarness.dedicated()
        let session = harness.ready()
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.router.upstreamExited(own, pid: 7, program: "true", restart: 0, status: "signal 9", at: harness.now)
        harness.perform()
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""upstream_exited""#)
        harness.receive(RouterHarness.call(id: "2", tool: "read"), from: session)
        let before = harness.sent[session]?.count
        harness.start(own)
        #expect(harness.sent[session]?.count == before, "the client does not see the second handshake")
        harness.answer("tools/call", of: own, "{}")
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":2,"result":{}}"#)
        #expect(harness.trail.filter { $0.hasPrefix("RESPONSE 1 ") } == ["RESPONSE 1 upstream_exited"])
    }

    // MARK: - Reload

    @Test("from shared to dedicated: open sessions keep the shared process, which ends with the last of them")
    func toDedicated() throws {
        let harness = RouterHarness(RouterHarness.dedicatedSettings(.shared))
        harness.start()
        let shared = harness.shared
        let old = harness.ready("old")
        harness.router.adopt(RouterHarness.snapshot(RouterHarness.dedicatedSettings(), generation: 2), at: harness.now)
        harness.perform()
        #expect(harness.router.sessionsOfTheOtherKind == 1)
        #expect(stops(harness).isEmpty)
        let new = harness.ready("new")
        let own = try #require(harness.router.upstream(of: new))
        #expect(own != shared)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: old)
        harness.answer("tools/call", of: shared, "{}")
        #expect(harness.last(old) == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        harness.router.end(old, .endOfInput, at: harness.now)
        harness.perform()
        #expect(stops(harness) == [shared])
        #expect(harness.router.sharedUpstream.isReady)
    }

    @Test("from shared to dedicated without sessions: the shared process ends at the swap")
    func toDedicatedUnused() {
        let harness = RouterHarness(RouterHarness.dedicatedSettings(.shared))
        harness.start()
        harness.router.adopt(RouterHarness.snapshot(RouterHarness.dedicatedSettings(), generation: 2), at: harness.now)
        harness.perform()
        #expect(stops(harness) == [harness.shared])
    }

    @Test("from dedicated to shared: a shared process shakes hands first, open sessions keep their own")
    func toShared() throws {
        let harness = RouterHarness.dedicated()
        let old = harness.ready("old")
        let own = try #require(harness.router.upstream(of: old))
        harness.start(own)
        let next = RouterHarness.snapshot(RouterHarness.dedicatedSettings(.shared), generation: 2)
        #expect(harness.router.needsShared(for: next))
        harness.router.replaceShared(for: next, at: harness.now)
        harness.perform()
        let shared = try #require(harness.router.nextShared)
        // It has none of the tools that a swap waits for: the harness swaps at once, the daemon adopts in the same turn.
        harness.start(shared, capabilities: "{}")
        harness.router.adopt(next, at: harness.now)
        harness.perform()
        #expect(harness.shared == shared)
        #expect(!harness.router.needsShared(for: next))
        #expect(harness.router.sessionsOfTheOtherKind == 1)
        let new = harness.ready("new")
        #expect(harness.router.upstream(of: new) == shared)
        #expect(Text.member("result", harness.last(new)) != nil)
        #expect(harness.router.upstream(of: old) == own)
    }

    @Test("a changed command is proved before the swap and then renews each process when it has nothing to do")
    func changedCommand() throws {
        let harness = RouterHarness.dedicated()
        let (idle, busy) = (harness.ready("idle"), harness.ready("busy"))
        let owns = try [idle, busy].map { try #require(harness.router.upstream(of: $0)) }
        for own in owns { harness.start(own) }
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: busy)
        let next = RouterHarness.snapshot(RouterHarness.dedicatedSettings(), generation: 2)
        harness.router.replaceShared(for: next, at: harness.now)
        harness.perform()
        let proof = try #require(harness.router.nextShared)
        harness.start(proof)
        harness.router.adopt(next, at: harness.now)
        #expect(harness.router.renewOwnUpstreams(at: harness.now) == 1)
        harness.perform()
        #expect(stops(harness).last == proof)
        func relaunched() -> [UpstreamID] {
            harness.others.compactMap { if case .relaunch(let id) = $0 { id } else { nil } }
        }
        #expect(relaunched() == [owns[0]])
        harness.answer("tools/call", of: owns[1], "{}")
        harness.advance(0.1)
        #expect(relaunched() == owns)
        #expect(starts(harness) == 4)
    }
}
