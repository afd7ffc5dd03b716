import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

@Suite("A process for each session")
struct RouterDedicatedTests {
    /// A router in dedicated mode whose start has been proved.
    private func proved(max: Int = 16) -> RouterHarness {
        let harness = RouterHarness(Self.settings(max: max))
        harness.start(harness.shared, capabilities: "{}")
        return harness
    }

    private static func settings(_ sessions: SessionSharing = .dedicated, max: Int = 16) -> Settings {
        RouterHarness.settings {
            $0.upstream.sessions = sessions
            $0.upstream.maxDedicated = max
        }
    }

    private func stops(_ harness: RouterHarness) -> [UpstreamID] {
        harness.others.compactMap { if case .stop(let id) = $0 { id } else { nil } }
    }

    private func starts(_ harness: RouterHarness) -> Int {
        harness.others.filter { if case .start = $0 { true } else { false } }.count
    }

    @Test("the start is proved by a process that shakes hands and ends")
    func proof() {
        let harness = RouterHarness(Self.settings())
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
        let harness = RouterHarness(Self.settings())
        harness.router.upstreamFailed(harness.shared, "cannot be started", at: harness.now)
        #expect(harness.router.sharedUpstream.failure == "cannot be started")
    }

    @Test("the handshake passes through: the client's params, the process's own revision and capabilities")
    func handshake() throws {
        let harness = proved()
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
        let harness = proved()
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
        let harness = proved()
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
        let harness = proved()
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

    @Test("beyond max_dedicated initialize is refused and the cap named; no process is started before another is gone")
    func cap() throws {
        let harness = proved(max: 1)
        let first = harness.ready("a")
        let second = harness.ready("b")
        let refusal = harness.last(second)
        #expect(Text.path(["error", "code"], refusal) == "-32603")
        #expect(Text.path(["error", "data", "reason"], refusal) == #""overloaded""#)
        #expect(Text.path(["error", "message"], refusal)?.contains("max_dedicated is 1") == true)
        #expect(harness.trail.contains("SESSION_START (no upstream process: max_dedicated is 1)"))
        #expect(harness.trail.last == "RESPONSE 0 overloaded")
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: second)
        #expect(Text.path(["error", "code"], harness.last(second)) == "-32600")
        harness.router.end(first, .endOfInput, at: harness.now)
        harness.perform()
        harness.receive(RouterHarness.initialize(), from: second)
        let own = try #require(harness.router.upstream(of: second))
        #expect(!harness.starts.contains(own), "the former one is still ending")
        harness.router.ownUpstreamStopped()
        harness.perform()
        #expect(harness.starts.last == own)
        harness.start(own)
        #expect(Text.member("result", harness.last(second)) != nil)
    }

    @Test("a session that ends before its process could be started gives its place back")
    func postponedAndGone() throws {
        let harness = proved(max: 1)
        let first = harness.ready("a")
        harness.router.end(first, .endOfInput, at: harness.now)
        let second = harness.ready("b")
        let own = try #require(harness.router.upstream(of: second))
        harness.router.end(second, .endOfInput, at: harness.now)
        harness.perform()
        #expect(!harness.starts.contains(own) && !harness.stops.contains(own))
        let third = harness.ready("c")
        #expect(harness.router.upstream(of: third) != nil)
        let before = harness.starts.count
        harness.router.ownUpstreamStopped()
        harness.perform()
        #expect(harness.starts.count == before + 1)
        #expect(harness.router.counts.ownUpstreams == 1)
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
        let harness = proved()
        let session = harness.ready("a")
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        var settings = Self.settings()
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

    @Test("more places start what waits for one")
    func raised() throws {
        let harness = proved(max: 1)
        let first = harness.ready("a")
        harness.router.end(first, .endOfInput, at: harness.now)
        let second = harness.ready("b")
        let own = try #require(harness.router.upstream(of: second))
        harness.router.adopt(RouterHarness.snapshot(Self.settings(max: 2), generation: 2), at: harness.now)
        harness.perform()
        #expect(harness.starts.last == own)
    }

    @Test(
        "room is made only for an initialize that would get a process",
        arguments: [
            (RouterHarness.initialize(), SessionSharing.dedicated, true),
            (RouterHarness.initialize(), .shared, false),
            (RouterHarness.initialize(capabilities: #"{"roots":{}}"#), .shared, true),
            (#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, .dedicated, false),
            (Modern.request("initialize", id: "1", #""protocolVersion":"2025-11-25""#), .dedicated, false),
            (RouterHarness.call(id: "1", tool: "read"), .dedicated, false),
        ])
    func wantsProcess(text: String, sharing: SessionSharing, wants: Bool) throws {
        let harness = RouterHarness(Self.settings(sharing))
        harness.start(harness.shared, capabilities: "{}")
        let message = try RouterHarness.message(text)
        let (fresh, ready) = (harness.open(), harness.ready("b"))
        #expect(harness.router.wantsProcess(message, for: fresh) == wants)
        #expect(!harness.router.wantsProcess(message, for: ready), "it has one, or needs none any more")
    }

    @Test("which sessions could give their process up")
    func idleProcess() throws {
        let harness = proved(max: 1)
        let session = harness.ready("a")
        let own = try #require(harness.router.upstream(of: session))
        #expect(!harness.router.hasRoom)
        #expect(harness.router.missingPlaces == 1)
        harness.start(own)
        #expect(harness.router.holdsIdleProcess(session))
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        #expect(!harness.router.holdsIdleProcess(session), "it works")
        harness.router.end(session, .displaced, at: harness.now)
        harness.perform()
        #expect(harness.router.hasRoom)
        #expect(harness.trail.contains("SESSION_END displaced"))
    }

    @Test(
        "a session's process that keeps ending, or says nothing, is asked in the other era",
        arguments: [true, false])
    func otherEra(exits: Bool) throws {
        let harness = RouterHarness(
            RouterHarness.settings {
                $0.upstream.sessions = .dedicated
                $0.upstream.era = .auto
            })
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

    // MARK: - Reload

    @Test("from shared to dedicated: open sessions keep the shared process, which ends with the last of them")
    func toDedicated() throws {
        let harness = RouterHarness(Self.settings(.shared))
        harness.start()
        let shared = harness.shared
        let old = harness.ready("old")
        harness.router.adopt(RouterHarness.snapshot(Self.settings(), generation: 2), at: harness.now)
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

    @Test("a modern session that came before the era was known is not left waiting for an answer to a probe")
    func modernBeforeTheEra() throws {
        let harness = RouterHarness(
            RouterHarness.settings {
                $0.upstream.sessions = .dedicated
                $0.upstream.era = .auto
            })
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

    @Test("from shared to dedicated without sessions: the shared process ends at the swap")
    func toDedicatedUnused() {
        let harness = RouterHarness(Self.settings(.shared))
        harness.start()
        harness.router.adopt(RouterHarness.snapshot(Self.settings(), generation: 2), at: harness.now)
        harness.perform()
        #expect(stops(harness) == [harness.shared])
    }

    @Test("from dedicated to shared: a shared process shakes hands first, open sessions keep their own")
    func toShared() throws {
        let harness = proved()
        let old = harness.ready("old")
        let own = try #require(harness.router.upstream(of: old))
        harness.start(own)
        let next = RouterHarness.snapshot(Self.settings(.shared), generation: 2)
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
        let harness = proved()
        let (idle, busy) = (harness.ready("idle"), harness.ready("busy"))
        let owns = try [idle, busy].map { try #require(harness.router.upstream(of: $0)) }
        for own in owns { harness.start(own) }
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: busy)
        let next = RouterHarness.snapshot(Self.settings(), generation: 2)
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
