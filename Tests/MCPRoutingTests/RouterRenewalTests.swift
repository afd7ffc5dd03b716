import GatewayConfiguration
import GatewayEvents
import Testing

@testable import MCPRouting

/// A session with a process of its own, which has shaken hands.
private struct Scene {
    let harness = RouterHarness()
    let session: SessionID
    let own: UpstreamID
    static let capabilities = #"{"sampling":{"tools":{}}}"#

    init() throws {
        harness.start()
        session = harness.ready(capabilities: Self.capabilities)
        own = try #require(harness.router.upstream(of: session))
        harness.start(own)
    }

    func renew() -> Int {
        defer { harness.perform() }
        return harness.router.renewOwnUpstreams(at: harness.now)
    }

    func call(_ id: Int) { harness.receive(RouterHarness.call(id: "\(id)", tool: "read"), from: session) }

    func exit() {
        harness.router.upstreamExited(own, pid: 42, program: "true", restart: 0, status: "exit 0", at: harness.now)
        harness.perform()
    }

    var relaunches: Int {
        harness.others.count { if case .relaunch(own) = $0 { true } else { false } }
    }

    var calls: Int { harness.forwarded[own]?.count { Text.member("method", $0) == #""tools/call""# } ?? 0 }

    func isAnswered(_ id: Int) -> Bool {
        harness.sent[session]?.contains { Text.member("id", $0) == "\(id)" && Text.member("result", $0) != nil } == true
    }
}

@Suite("Renewing a session's own process")
struct RouterRenewalTests {
    @Test("one with nothing to do is replaced at once; what comes meanwhile waits and goes to the next process")
    func idle() throws {
        let scene = try Scene()
        #expect(scene.renew() == 0)
        #expect(scene.relaunches == 1)
        scene.call(1)
        #expect(scene.calls == 0)
        scene.exit()
        scene.call(2)
        #expect(scene.calls == 0)
        scene.harness.start(scene.own)
        #expect(scene.calls == 2)
        scene.harness.answer("tools/call", of: scene.own, "{}")
        #expect(scene.isAnswered(2))
        scene.harness.advance(0.1)
        #expect(scene.relaunches == 1)
    }

    @Test("the next process is told what the client said in its own initialize, its log level and its subscriptions")
    func handshake() throws {
        let scene = try Scene()
        let harness = scene.harness
        harness.receive(
            #"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"error"}}"#, from: scene.session)
        harness.receive(
            #"{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"x://y"}}"#, from: scene.session)
        harness.answer("logging/setLevel", of: scene.own, "{}")
        harness.answer("resources/subscribe", of: scene.own, "{}")
        let told = harness.sent[scene.session]?.count
        #expect(scene.renew() == 0)
        scene.exit()
        let from = try #require(harness.forwarded[scene.own]?.count)
        harness.start(scene.own)
        let sent = try #require(harness.forwarded[scene.own]?.dropFirst(from))
        let initialize = try #require(sent.first)
        #expect(Text.member("method", initialize) == #""initialize""#)
        #expect(Text.path(["params", "capabilities"], initialize) == Scene.capabilities)
        #expect(Text.path(["params", "clientInfo", "name"], initialize) == #""Test Client""#)
        #expect(
            sent.compactMap { Text.member("method", $0) } == [
                #""initialize""#, #""notifications/initialized""#, #""logging/setLevel""#, #""resources/subscribe""#,
                #""tools/list""#,
            ])
        #expect(
            harness.sent[scene.session]?.dropFirst(told ?? 0).compactMap { Text.member("method", $0) } == [
                #""notifications/prompts/list_changed""#, #""notifications/resources/list_changed""#,
            ], "its tools are known to be the same, the rest is not")
    }

    @Test("a busy one is replaced at the tick after its last answer")
    func busy() throws {
        let scene = try Scene()
        scene.call(1)
        #expect(scene.renew() == 1)
        scene.harness.advance(0.1)
        scene.call(2)
        #expect(scene.calls == 2)
        scene.harness.answer("tools/call", of: scene.own, "{}")
        scene.harness.advance(0.1)
        #expect(scene.relaunches == 0)
        let first = try #require(
            scene.harness.forwarded[scene.own]?.first { $0.contains("tools/call") }.flatMap { Text.member("id", $0) })
        scene.harness.receive(#"{"jsonrpc":"2.0","id":\#(first),"result":{}}"#, from: scene.own)
        #expect(scene.isAnswered(1) && scene.isAnswered(2))
        #expect(scene.relaunches == 0)
        scene.harness.advance(0.1)
        #expect(scene.relaunches == 1)
        scene.call(3)
        #expect(scene.calls == 2)
    }

    @Test("a call that was cancelled keeps it busy until it is answered or times out", arguments: [false, true])
    func tombstone(isAnswered: Bool) throws {
        let scene = try Scene()
        scene.call(1)
        scene.harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#, from: scene.session)
        #expect(scene.renew() == 1)
        scene.harness.advance(0.1)
        #expect(scene.relaunches == 0)
        if isAnswered { scene.harness.answer("tools/call", of: scene.own, "{}") }
        scene.harness.advance(isAnswered ? 0.1 : 61)
        #expect(scene.relaunches == 1)
    }

    @Test("a client that is being asked keeps it busy")
    func asking() throws {
        let scene = try Scene()
        scene.harness.receive(
            #"{"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{}}"#, from: scene.own)
        #expect(scene.renew() == 1)
        let id = try #require(Text.member("id", scene.harness.last(scene.session)))
        scene.harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#, from: scene.session)
        #expect(scene.relaunches == 0)
        scene.harness.advance(0.1)
        #expect(scene.relaunches == 1)
    }

    @Test("one that has not shaken hands yet is replaced after it has")
    func handshaking() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready(capabilities: Scene.capabilities)
        let own = try #require(harness.router.upstream(of: session))
        harness.router.upstreamStarted(own, pid: 42, program: "true", restart: 0, at: harness.now)
        harness.perform()
        #expect(harness.router.renewOwnUpstreams(at: harness.now) == 1)
        harness.advance(0.1)
        #expect(!harness.others.contains { if case .relaunch = $0 { true } else { false } })
        harness.answer(
            "initialize", of: own,
            #"{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"u","version":"1"}}"#)
        #expect(Text.member("result", harness.last(session)) != nil)
        harness.advance(0.1)
        guard case .relaunch(own)? = harness.others.last else {
            Issue.record("it was not replaced")
            return
        }
    }

    @Test("one that could not be kept alive is tried again, and calls wait for it instead of failing")
    func failed() throws {
        let scene = try Scene()
        scene.exit()
        scene.harness.router.upstreamFailed(scene.own, "exited too often", at: scene.harness.now)
        scene.call(1)
        #expect(
            Text.path(["error", "data", "reason"], scene.harness.last(scene.session)) == #""upstream_unavailable""#)
        #expect(scene.renew() == 0)
        #expect(scene.relaunches == 1)
        scene.call(2)
        scene.harness.start(scene.own)
        scene.harness.answer("tools/call", of: scene.own, "{}")
        #expect(scene.isAnswered(2))
    }

    @Test("a session that ends meanwhile takes its process along", arguments: [false, true])
    func sessionEnds(isBusy: Bool) throws {
        let scene = try Scene()
        if isBusy { scene.call(1) }
        #expect(scene.renew() == (isBusy ? 1 : 0))
        if !isBusy { scene.call(1) }
        scene.harness.router.end(scene.session, .connectionLost, at: scene.harness.now)
        scene.harness.perform()
        guard case .stop(scene.own)? = scene.harness.others.last else {
            Issue.record("its process was not stopped")
            return
        }
        let forwarded = scene.harness.forwarded[scene.own]?.count
        scene.exit()
        scene.harness.router.upstreamStarted(
            scene.own, pid: 43, program: "true", restart: 1, at: scene.harness.now)
        scene.harness.advance(61)
        #expect(scene.harness.forwarded[scene.own]?.count == forwarded)
        #expect(scene.relaunches == (isBusy ? 0 : 1))
        #expect(scene.harness.router.counts.pending == 0)
        #expect(scene.harness.trail.count { $0.hasPrefix("RESPONSE 1 ") } == 1)
    }

    @Test("a second renewal while one is under way replaces the process once more")
    func twice() throws {
        let scene = try Scene()
        #expect(scene.renew() == 0)
        #expect(scene.renew() == 0)
        #expect(scene.relaunches == 2)
        scene.call(1)
        // The call waits, so nothing is lost by a third.
        #expect(scene.renew() == 0)
        #expect(scene.relaunches == 3)
        scene.exit()
        scene.harness.start(scene.own)
        scene.harness.answer("tools/call", of: scene.own, "{}")
        #expect(scene.isAnswered(1))
        scene.harness.advance(0.1)
        #expect(scene.relaunches == 3)
    }

    @Test("one that is down is tried by the new plan at once, also when calls wait for it")
    func down() throws {
        let scene = try Scene()
        scene.call(1)
        scene.exit()
        scene.call(2)
        #expect(scene.renew() == 0)
        #expect(scene.relaunches == 1)
        scene.harness.start(scene.own)
        #expect(scene.calls == 2)
        scene.harness.answer("tools/call", of: scene.own, "{}")
        #expect(!scene.isAnswered(1) && scene.isAnswered(2))
        scene.harness.advance(0.1)
        #expect(scene.relaunches == 1)
    }

    @Test("the shared process is none of those")
    func shared() throws {
        let harness = RouterHarness()
        harness.start()
        _ = harness.ready()
        #expect(harness.router.renewOwnUpstreams(at: harness.now) == 0)
        harness.advance(1)
        #expect(!harness.others.contains { if case .relaunch = $0 { true } else { false } })
    }

    @Test("each session's process goes its own way")
    func several() throws {
        let harness = RouterHarness()
        harness.start()
        let sessions = (0..<3).map { harness.ready("s\($0)", capabilities: Scene.capabilities) }
        let owns = try sessions.map { try #require(harness.router.upstream(of: $0)) }
        for own in owns { harness.start(own) }
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: sessions[1])
        #expect(harness.router.renewOwnUpstreams(at: harness.now) == 1)
        harness.perform()
        func relaunched() -> [UpstreamID] {
            harness.others.compactMap { if case .relaunch(let id) = $0 { id } else { nil } }
        }
        #expect(Set(relaunched()) == [owns[0], owns[2]])
        harness.answer("tools/call", of: owns[1], "{}")
        harness.advance(0.1)
        #expect(relaunched().last == owns[1])
        #expect(relaunched().count == 3)
    }
}

@Suite("A next shared process that is given up after its handshake")
struct RouterAbandonedSwapTests {
    @Test("leaves sessions, calls, subscriptions and what they were told as they were")
    func abandoned() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        let old = harness.shared
        harness.receive(
            #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x://y"}}"#, from: session)
        harness.answer("resources/subscribe", of: old, "{}")
        harness.receive(RouterHarness.call(id: "2", tool: "read"), from: session)
        let told = harness.sent[session]?.count
        let forwarded = harness.forwarded[old]
        let pending = harness.router.counts.pending

        harness.refusesSwaps = true
        harness.router.replaceShared(for: harness.router.snapshot, at: harness.now)
        harness.perform()
        let next = try #require(harness.router.nextShared)
        harness.start(next, tools: ["other"])
        #expect(harness.shared == old)
        #expect(!harness.router.hasNextShared)
        #expect(Array(harness.router.upstreams.ids) == [old])
        #expect(harness.router.upstream(of: session) == old)
        #expect(harness.sent[session]?.count == told, "the session hears nothing of it")
        #expect(harness.forwarded[old] == forwarded)
        #expect(harness.router.counts.pending == pending)
        guard case .swapFailed(let failure)? = harness.others.last, case .stop(next)? = harness.others.dropLast().last
        else {
            Issue.record("it was not stopped and reported")
            return
        }
        #expect(failure.reason == "its audit cannot be opened")

        harness.router.upstreamExited(next, pid: 42, program: "true", restart: 0, status: "exit 0", at: harness.now)
        harness.perform()
        harness.answer("tools/call", of: old, #"{"from":"old"}"#)
        #expect(Text.path(["result", "from"], harness.last(session)) == #""old""#)
        let update = #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://y"}}"#
        harness.receive(update, from: old)
        #expect(harness.last(session) == update)
        harness.receive(RouterHarness.call(id: "3", tool: "read"), from: session)
        harness.answer("tools/call", of: old, "{}")
        #expect(Text.member("id", harness.last(session)) == "3")
        #expect(harness.router.counts.pending == 0)
    }

    @Test("a later swap succeeds, and finds what sessions want by then")
    func nextOne() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        let old = harness.shared
        harness.refusesSwaps = true
        harness.router.replaceShared(for: harness.router.snapshot, at: harness.now)
        harness.perform()
        let refused = try #require(harness.router.nextShared)
        harness.start(refused)
        harness.receive(
            #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x://y"}}"#, from: session)
        harness.answer("resources/subscribe", of: old, "{}")
        harness.refusesSwaps = false
        harness.router.replaceShared(for: harness.router.snapshot, at: harness.now)
        harness.perform()
        let next = try #require(harness.router.nextShared)
        harness.start(next)
        #expect(harness.shared == next)
        #expect(harness.forwarded[next]?.contains { $0.contains("resources/subscribe") } == true)
        harness.receive(RouterHarness.call(id: "2", tool: "read"), from: session)
        harness.answer("tools/call", of: next, "{}")
        #expect(Text.member("id", harness.last(session)) == "2")
    }

    @Test("what waits for an absent shared process goes on waiting for it")
    func waiting() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        let old = harness.shared
        harness.router.upstreamExited(old, pid: 42, program: "true", restart: 0, status: "exit 1", at: harness.now)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.refusesSwaps = true
        harness.router.replaceShared(for: harness.router.snapshot, at: harness.now)
        harness.perform()
        let next = try #require(harness.router.nextShared)
        harness.start(next)
        #expect(harness.lastID(of: "tools/call", at: next) == nil)
        harness.start(old)
        harness.answer("tools/call", of: old, "{}")
        #expect(Text.member("id", harness.last(session)) == "1")
    }
}
