import GatewayConfiguration
import GatewayEvents
import Testing

@testable import MCPRouting

@Suite("Sessions and their upstream, from handshake to end")
struct RouterLifecycleTests {
    @Test(
        "a client is told the older of its revision and the upstream's; an unknown one is told the upstream's",
        arguments: [
            ("2024-11-05", "2025-11-25", "2024-11-05"), ("2025-11-25", "2025-06-18", "2025-06-18"),
            ("2025-06-18", "2025-06-18", "2025-06-18"), ("1999-01-01", "2025-06-18", "2025-06-18"),
            ("2026-07-28", "2025-11-25", "2025-11-25"),
        ])
    func versions(offer: String, upstream: String, told: String) {
        let harness = RouterHarness()
        harness.start(version: upstream)
        let session = harness.ready(version: offer)
        #expect(Text.path(["result", "protocolVersion"], harness.last(session)) == "\"\(told)\"")
    }

    @Test(
        "every client is told that the list of tools may change",
        arguments: [
            (#"{"tools":{}}"#, #"{"listChanged":true}"#),
            (#"{"tools":{"listChanged":false}}"#, #"{"listChanged":true}"#),
            (#"{"tools":{ "x":1}}"#, #"{"listChanged":true, "x":1}"#),
        ])
    func listChanged(capabilities: String, told: String) {
        let harness = RouterHarness()
        harness.start(capabilities: capabilities)
        let session = harness.ready()
        #expect(Text.path(["result", "capabilities", "tools"], harness.last(session)) == told)
    }

    @Test("a second initialize is an error, and the session goes on")
    func secondInitialize() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.initialize(id: "9"), from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32600")
        #expect(harness.trail.suffix(2) == ["REQUEST 9 initialize", "RESPONSE 9 -32600"])
        harness.receive(#"{"jsonrpc":"2.0","id":10,"method":"ping"}"#, from: session)
        #expect(Text.member("result", harness.last(session)) == "{}")
    }

    @Test("before initialize, a call is an error, ping is answered and the modern probe learns that this is legacy")
    func beforeInitialize() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.open()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32600")
        harness.receive(#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#, from: session)
        #expect(Text.member("result", harness.last(session)) == "{}")
        harness.receive(#"{"jsonrpc":"2.0","id":3,"method":"server/discover","params":{}}"#, from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32601")
        harness.receive(RouterHarness.initialize(id: "4"), from: session)
        #expect(Text.member("result", harness.last(session)) != nil)
    }

    @Test("initialize waits for the upstream; nothing that follows overtakes it")
    func waiting() {
        let harness = RouterHarness()
        let session = harness.ready()
        #expect(harness.sent[session] == nil)
        harness.start()
        #expect(Text.path(["result", "protocolVersion"], harness.last(session)) == #""2025-11-25""#)
    }

    @Test("what a client sends without waiting for the answer to initialize stands in line behind it")
    func pipelined() {
        let harness = RouterHarness()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        #expect(harness.sent[session] == nil)
        harness.start()
        #expect(Text.member("id", harness.sent[session]?.first ?? "") == "0")
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(Text.member("id", harness.last(session)) == "1")
    }

    @Test("when initialize fails, so does what stands behind it, and the session can begin again")
    func pipelinedFailure() {
        let harness = RouterHarness()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.advance(31)
        #expect(harness.trail.suffix(2) == ["RESPONSE 0 upstream_unavailable", "RESPONSE 1 upstream_unavailable"])
        harness.start()
        #expect(harness.lastID(of: "tools/call", at: harness.shared) == nil)
        harness.receive(RouterHarness.initialize(id: "2"), from: session)
        #expect(Text.member("id", harness.last(session)) == "2")
    }

    @Test("what waits too long for the upstream fails after connection_timeout and says that it was not forwarded")
    func waitingTooLong() {
        let harness = RouterHarness()
        let session = harness.ready()
        harness.advance(29)
        #expect(harness.sent[session] == nil)
        harness.advance(2)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""upstream_unavailable""#)
        #expect(harness.trail.last == "RESPONSE 0 upstream_unavailable")
        // It may try again.
        harness.start()
        harness.receive(RouterHarness.initialize(id: "1"), from: session)
        #expect(Text.member("result", harness.last(session)) != nil)
    }

    @Test("an upstream's death ends what it worked on; what waits is released to the next process, once")
    func death() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        exit(harness)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""upstream_exited""#)
        harness.receive(RouterHarness.call(id: "2", tool: "read"), from: session)
        harness.forwarded = [:]
        harness.start()
        let calls = harness.forwarded[harness.shared]?.filter { $0.contains("tools/call") } ?? []
        #expect(calls.count == 1)
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(Text.member("id", harness.last(session)) == "2")
    }

    @Test("after a restart the log level and the subscriptions are set again before waiting requests are released")
    func restored() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(
            #"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"warning"}}"#, from: session)
        harness.receive(
            #"{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"x://y"}}"#, from: session)
        harness.answer("resources/subscribe", of: harness.shared, "{}")
        exit(harness)
        harness.receive(RouterHarness.call(id: "3", tool: "read"), from: session)
        harness.forwarded = [:]
        harness.start()
        let methods = try #require(harness.forwarded[harness.shared]).map { Text.member("method", $0) }
        #expect(
            methods == [
                #""initialize""#, #""notifications/initialized""#, #""logging/setLevel""#, #""resources/subscribe""#,
                #""tools/list""#, #""tools/call""#,
            ])
    }

    @Test("an unusable answer to our own initialize has the process replaced, not waited for")
    func unusableHandshake() throws {
        let harness = RouterHarness()
        let session = harness.ready()
        harness.router.upstreamStarted(harness.shared, pid: 1, program: "true", restart: 0, at: harness.now)
        harness.perform()
        let id = try #require(harness.lastID(of: "initialize", at: harness.shared))
        harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":{},"result":{}}"#, from: harness.shared)
        let isRecycled = harness.others.contains {
            if case .recycle = $0 { true } else { false }
        }
        #expect(isRecycled)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""upstream_unavailable""#)
    }

    @Test("a request that is not answered in time is cancelled upstream and answered once")
    func timeout() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        let id = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        harness.advance(61)
        #expect(Text.path(["error", "data", "reason"], harness.last(session)) == #""timeout""#)
        let cancel = try #require(harness.forwarded[harness.shared]?.last)
        #expect(Text.path(["params", "requestId"], cancel) == "\(id)")
        let count = harness.sent[session]?.count
        harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#, from: harness.shared)
        #expect(harness.sent[session]?.count == count)
        #expect(harness.trail.last == "RESPONSE 1 timeout")
        #expect(harness.router.counts.pending == 0)
    }

    @Test("progress restarts the timeout, up to ten times its length")
    func progressRestarts() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read", token: "1"), from: session)
        let id = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        for _ in 0..<11 {
            harness.advance(50)
            harness.receive(
                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(id),"progress":1}}"#,
                from: harness.shared)
        }
        #expect(!harness.trail.contains("RESPONSE 1 timeout"))
        harness.advance(50)
        harness.advance(11)
        #expect(harness.trail.contains("RESPONSE 1 timeout"))
    }

    @Test("a cancelled call has its RESPONSE and no answer, and the cancel reaches the upstream under our id")
    func cancel() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        let id = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        let count = harness.sent[session]?.count
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"x"}}"#,
            from: session)
        let cancel = try #require(harness.forwarded[harness.shared]?.last)
        #expect(Text.path(["params", "requestId"], cancel) == "\(id)")
        #expect(Text.path(["params", "reason"], cancel) == #""x""#)
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(harness.sent[session]?.count == count)
        #expect(harness.trail.contains("RESPONSE 1 cancelled"))
        #expect(harness.router.counts.pending == 0)
    }

    @Test("after the end of input, what is in flight is answered before the session ends")
    func endOfInput() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.router.inputEnded(session, at: harness.now)
        harness.perform()
        #expect(harness.router.counts.sessions == 1)
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(Text.member("id", harness.last(session)) == "1")
        #expect(harness.router.counts.sessions == 0)
        #expect(harness.trail.suffix(2) == ["RESPONSE 1 ok", "SESSION_END end_of_input"])
    }

    @Test("a client that hangs up has its calls cancelled upstream")
    func hangUp() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.router.end(session, .connectionLost, at: harness.now)
        harness.perform()
        #expect(harness.trail.suffix(2) == ["RESPONSE 1 connection_lost", "SESSION_END connection_lost"])
        #expect(harness.forwarded[harness.shared]?.last?.contains("notifications/cancelled") == true)
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(harness.router.counts.pending == 0)
    }

    @Test("a reload tells list_changed only to those whose tools differ")
    func reloadTells() {
        let all = RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["*"]))
        let harness = RouterHarness(all)
        harness.start()
        let session = harness.ready()
        let count = harness.sent[session]?.count
        harness.router.adopt(RouterHarness.snapshot(all, generation: 2), at: harness.now)
        harness.perform()
        #expect(harness.sent[session]?.count == count)
        let some = RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["read"]))
        harness.router.adopt(RouterHarness.snapshot(some, generation: 3), at: harness.now)
        harness.perform()
        #expect(Text.member("method", harness.last(session)) == #""notifications/tools/list_changed""#)
    }

    @Test("a call keeps the snapshot of its admission through a reload")
    func snapshotKept() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        let none = RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: []))
        harness.router.adopt(RouterHarness.snapshot(none, generation: 2), at: harness.now)
        harness.perform()
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(harness.events.last?.snapshot.generation == 1)
        guard case .generationEnded(1)? = harness.others.last else {
            Issue.record("the old generation was not reported as ended")
            return
        }
    }

    private func exit(_ harness: RouterHarness) {
        harness.router.upstreamExited(
            harness.shared, pid: 42, program: "true", restart: 0, status: "signal 9", at: harness.now)
        harness.perform()
    }
}
