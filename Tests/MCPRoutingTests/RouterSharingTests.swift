import GatewayConfiguration
import GatewayEvents
import Testing

@testable import MCPRouting

@Suite("Sharing one upstream")
struct RouterSharingTests {
    @Test(
        "a session that declares what a server may ask for gets a process of its own, with its own initialize",
        arguments: [#"{"sampling":{}}"#, #"{"elicitation":{}}"#, #"{"roots":{"listChanged":true}}"#])
    func ownProcess(capabilities: String) throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.open()
        harness.receive(RouterHarness.initialize(capabilities: capabilities), from: session)
        let own = try #require(harness.router.upstream(of: session))
        #expect(own != harness.shared)
        harness.start(own)
        let sent = try #require(harness.forwarded[own]?.first)
        #expect(Text.path(["params", "capabilities"], sent) == capabilities)
        #expect(Text.member("result", harness.last(session)) != nil)
    }

    @Test("the shared process is told of no capabilities")
    func noCapabilities() throws {
        let harness = RouterHarness()
        harness.start()
        let sent = try #require(harness.forwarded[harness.shared]?.first)
        #expect(Text.path(["params", "capabilities"], sent) == "{}")
    }

    @Test("beyond max_dedicated a session joins the shared process, and SESSION_START says what was withheld")
    func withheld() {
        let harness = RouterHarness(RouterHarness.settings { $0.upstream.maxDedicated = 0 })
        harness.start()
        let session = harness.ready(capabilities: #"{"sampling":{},"roots":{}}"#)
        #expect(harness.router.upstream(of: session) == harness.shared)
        #expect(harness.trail.contains("SESSION_START (withheld sampling, roots: max_dedicated is 0)"))
    }

    @Test("tasks, whose ids and lists name no session, are not offered by a process that sessions share")
    func tasks() throws {
        let harness = RouterHarness()
        harness.start(capabilities: #"{"tasks":{"list":{}},"tools":{}}"#)
        let session = harness.ready()
        let told = try #require(Text.path(["result", "capabilities"], harness.last(session)))
        #expect(Text.member("tasks", told) == nil)
        #expect(Text.member("tools", told) != nil)
        let before = harness.forwarded[harness.shared]?.count
        harness.receive(#"{"jsonrpc":"2.0","id":1,"method":"tasks/list"}"#, from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32601")
        #expect(harness.forwarded[harness.shared]?.count == before)
        harness.receive(RouterHarness.call(id: "2", tool: "t"), from: session)
        let sent = harness.sent[session]?.count
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"a","statusMessage":"secret"}}"#,
            from: harness.shared)
        #expect(harness.sent[session]?.count == sent)
    }

    @Test("a session's own process ends with it")
    func ownProcessEnds() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready(capabilities: #"{"sampling":{}}"#)
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        harness.router.end(session, .connectionLost, at: harness.now)
        harness.perform()
        guard case .stop(let stopped)? = harness.others.last else {
            Issue.record("its process was not stopped")
            return
        }
        #expect(stopped == own)
        #expect(harness.router.counts.ownUpstreams == 1, "it counts until its process is gone")
        harness.router.ownUpstreamStopped()
        #expect(harness.router.counts.ownUpstreams == 0)
        harness.router.upstreamExited(own, pid: 42, program: "true", restart: 0, status: "exit 0", at: harness.now)
        harness.perform()
        #expect(harness.trail.last == "UPSTREAM_EXIT exit 0")
    }

    @Test("a server's request reaches its session and the answer goes back under the server's id")
    func serverRequest() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready(capabilities: #"{"sampling":{}}"#)
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        harness.receive(
            #"{"jsonrpc":"2.0","id":"s-1","method":"sampling/createMessage","params":{"maxTokens":1}}"#, from: own)
        let asked = harness.last(session)
        #expect(Text.member("method", asked) == #""sampling/createMessage""#)
        let id = try #require(Text.member("id", asked))
        harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":{"model":"m"}}"#, from: session)
        #expect(harness.forwarded[own]?.last == #"{"jsonrpc":"2.0","id":"s-1","result":{"model":"m"}}"#)
        #expect(
            harness.trail.suffix(2) == ["SERVER_REQUEST s-1 sampling/createMessage", "SERVER_RESPONSE s-1 ok"])
        harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":{"model":"again"}}"#, from: session)
        #expect(harness.trail.last == "INVALID_MESSAGE client answer to no request")
    }

    @Test("while a client is being asked, its calls do not time out")
    func deadlineRests() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready(capabilities: #"{"elicitation":{}}"#)
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.receive(#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{}}"#, from: own)
        harness.advance(90)
        #expect(!harness.trail.contains("RESPONSE 1 timeout"))
        harness.receive(#"{"jsonrpc":"2.0","id":1,"result":{"action":"decline"}}"#, from: session)
        harness.advance(61)
        #expect(harness.trail.contains("RESPONSE 1 timeout"))
    }

    @Test("a client that ends leaves no server request open")
    func abandonedServerRequest() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready(capabilities: #"{"sampling":{}}"#)
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.receive(#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{}}"#, from: own)
        harness.router.inputEnded(session, at: harness.now)
        harness.perform()
        let answer = try #require(harness.forwarded[own]?.last)
        #expect(Text.member("id", answer) == "7")
        #expect(Text.path(["error", "data", "reason"], answer) == #""connection_lost""#)
        #expect(harness.trail.last == "SERVER_RESPONSE 7 connection_lost")
    }

    @Test("the shared process is refused when it asks a client something, and its ping is answered")
    func sharedAsks() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        let count = harness.sent[session]?.count
        harness.receive(#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#, from: harness.shared)
        #expect(Text.path(["error", "code"], try #require(harness.forwarded[harness.shared]?.last)) == "-32601")
        harness.receive(#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#, from: harness.shared)
        #expect(Text.member("result", try #require(harness.forwarded[harness.shared]?.last)) == "{}")
        #expect(harness.sent[session]?.count == count)
    }

    @Test("a log message is delivered only when no doubt is left whose it is")
    func logMessages() {
        let harness = RouterHarness()
        harness.start()
        let (first, second) = (harness.ready("a"), harness.ready("b"))
        let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"x"}}"#
        harness.receive(log, from: harness.shared)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: first)
        harness.receive(log, from: harness.shared)
        #expect(harness.last(first) == log)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: second)
        harness.receive(log, from: harness.shared)
        #expect(harness.sent[first]?.filter { $0 == log }.count == 1)
        #expect(harness.sent[second]?.filter { $0 == log }.isEmpty == true)
        #expect(harness.trail.last?.contains("not meant for one session without doubt") == true)
    }

    @Test("what an ended session's call still logs is delivered to nobody")
    func ghosts() {
        let harness = RouterHarness()
        harness.start()
        let (first, second) = (harness.ready("a"), harness.ready("b"))
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: first)
        harness.router.end(first, .connectionLost, at: harness.now)
        harness.perform()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: second)
        let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"x"}}"#
        harness.receive(log, from: harness.shared)
        #expect(harness.last(second) != log)
    }

    @Test("the upstream's log level is the most verbose wanted, and each session gets its own")
    func levels() throws {
        let harness = RouterHarness()
        harness.start()
        let (first, second) = (harness.ready("a"), harness.ready("b"))
        func setLevel(_ level: String, _ session: SessionID) {
            harness.receive(
                #"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"\#(level)"}}"#, from: session)
        }
        func sentLevels() -> [String] {
            (harness.forwarded[harness.shared] ?? []).filter { $0.contains("logging/setLevel") }
                .compactMap { Text.path(["params", "level"], $0) }
        }
        setLevel("error", first)
        setLevel("debug", second)
        setLevel("warning", first)
        #expect(sentLevels() == [#""error""#, #""debug""#])
        harness.receive(RouterHarness.call(id: "2", tool: "read"), from: first)
        let info = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#
        harness.receive(info, from: harness.shared)
        #expect(harness.last(first) != info)
        harness.router.end(second, .endOfInput, at: harness.now)
        harness.perform()
        #expect(sentLevels().last == #""warning""#)
        setLevel("nonsense", first)
        #expect(Text.path(["error", "code"], harness.last(first)) == "-32602")
    }

    @Test("a resource is subscribed once upstream, for as long as anybody wants it")
    func subscriptions() throws {
        let harness = RouterHarness()
        harness.start()
        let (first, second) = (harness.ready("a"), harness.ready("b"))
        func ask(_ method: String, _ session: SessionID) {
            harness.receive(
                #"{"jsonrpc":"2.0","id":1,"method":"resources/\#(method)","params":{"uri":"x://y"}}"#, from: session)
        }
        func count(_ method: String) -> Int {
            (harness.forwarded[harness.shared] ?? []).filter { $0.contains("resources/\(method)\"") }.count
        }
        ask("subscribe", first)
        harness.answer("resources/subscribe", of: harness.shared, "{}")
        ask("subscribe", second)
        #expect(count("subscribe") == 1)
        #expect(Text.member("result", harness.last(second)) == "{}")
        let update = #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://y"}}"#
        harness.receive(update, from: harness.shared)
        #expect(harness.last(first) == update)
        #expect(harness.last(second) == update)
        ask("unsubscribe", first)
        #expect(count("unsubscribe") == 0)
        harness.router.end(second, .endOfInput, at: harness.now)
        harness.perform()
        #expect(count("unsubscribe") == 1)
    }

    @Test("whoever has not subscribed cannot end somebody else's subscription")
    func foreignUnsubscribe() {
        let harness = RouterHarness()
        harness.start()
        let (first, second) = (harness.ready("a"), harness.ready("b"))
        harness.receive(
            #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x://y"}}"#, from: first)
        harness.receive(
            #"{"jsonrpc":"2.0","id":1,"method":"resources/unsubscribe","params":{"uri":"x://y"}}"#, from: second)
        #expect(Text.member("result", harness.last(second)) == "{}")
        #expect(harness.lastID(of: "resources/unsubscribe", at: harness.shared) == nil)
        harness.answer("resources/subscribe", of: harness.shared, "{}")
        let update = #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://y"}}"#
        harness.receive(update, from: harness.shared)
        #expect(harness.last(first) == update)
    }

    @Test("a subscription that the upstream refuses is no subscription")
    func refusedSubscription() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(
            #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x://y"}}"#, from: session)
        let id = try #require(harness.lastID(of: "resources/subscribe", at: harness.shared))
        harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32002,"message":"no"}}"#, from: harness.shared)
        let update = #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://y"}}"#
        harness.receive(update, from: harness.shared)
        #expect(harness.last(session) != update)
    }

    @Test("list_changed of the upstream reaches everybody once, and a restart with other tools tells them again")
    func toolsChanged() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        let changed = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
        func told() -> Int { (harness.sent[session] ?? []).filter { $0 == changed }.count }
        harness.receive(changed, from: harness.shared)
        harness.answerTools(["read", "write", "new"], of: harness.shared)
        #expect(told() == 1)
        harness.router.upstreamExited(
            harness.shared, pid: 42, program: "true", restart: 0, status: "exit 0", at: harness.now)
        harness.start(tools: ["read", "write", "new"])
        #expect(told() == 1)
        harness.router.upstreamExited(
            harness.shared, pid: 42, program: "true", restart: 1, status: "exit 0", at: harness.now)
        harness.start(tools: ["other"])
        #expect(told() == 2)
    }

    @Test("a batch is answered with one array, elements admitted alone; only at the revision that has batches")
    func batches() {
        let harness = RouterHarness(
            RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["read"])))
        harness.start()
        let batch =
            #"[\#(RouterHarness.call(id: "1", tool: "read")),{"jsonrpc":"2.0","method":"notifications/x"},"#
            + #"\#(RouterHarness.call(id: "2", tool: "write")),{"jsonrpc":"2.0","id":3,"method":"ping"},7]"#
        let newer = harness.ready("newer")
        harness.receive(batch, from: newer)
        #expect(Text.path(["error", "code"], harness.last(newer)) == "-32600")
        let session = harness.ready("batching", version: "2025-03-26")
        let count = harness.sent[session]?.count ?? 0
        harness.receive(batch, from: session)
        #expect(harness.sent[session]?.count == count)
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(harness.sent[session]?.count == count + 1)
        let answer = harness.last(session)
        #expect(answer.hasPrefix("[") && answer.hasSuffix("]"))
        for part in [#""id":1,"#, #""id":2,"#, #""id":3,"#, #""id":null,"#] { #expect(answer.contains(part)) }
    }

    @Test("a batch of nothing that is answered gets no answer; one of 65 is refused whole")
    func batchEdges() {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready(version: "2025-03-26")
        let count = harness.sent[session]?.count
        harness.receive(#"[{"jsonrpc":"2.0","method":"notifications/x"}]"#, from: session)
        #expect(harness.sent[session]?.count == count)
        let pings = (1...65).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"ping"}"# }.joined(separator: ",")
        harness.receive("[\(pings)]", from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32600")
        harness.receive("[]", from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32600")
    }

    @Test("a swap moves sessions to the next process when it is ready, and lets the old one finish its calls")
    func swap() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        let old = harness.shared
        let call = try #require(harness.lastID(of: "tools/call", at: old))
        harness.router.replaceShared(for: harness.router.snapshot, at: harness.now)
        harness.perform()
        #expect(harness.shared == old)
        let next = try #require(harness.router.nextShared)
        harness.start(next, tools: ["other"])
        #expect(harness.shared == next)
        #expect(
            (harness.sent[session] ?? []).contains { $0.contains("notifications/tools/list_changed") })
        harness.receive(#"{"jsonrpc":"2.0","id":\#(call),"result":{"from":"old"}}"#, from: old)
        #expect(Text.path(["result", "from"], harness.last(session)) == #""old""#)
        guard case .stop(let stopped)? = harness.others.last else {
            Issue.record("the drained process was not stopped")
            return
        }
        #expect(stopped == old)
        harness.receive(RouterHarness.call(id: "2", tool: "read"), from: session)
        #expect(harness.lastID(of: "tools/call", at: next) != nil)
    }

    @Test("after a swap each session's log messages are still its own")
    func busyAfterSwap() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        let old = harness.shared
        let first = try #require(harness.lastID(of: "tools/call", at: old))
        harness.router.replaceShared(for: harness.router.snapshot, at: harness.now)
        harness.perform()
        let next = try #require(harness.router.nextShared)
        harness.start(next)
        harness.receive(RouterHarness.call(id: "2", tool: "read"), from: session)
        harness.receive(#"{"jsonrpc":"2.0","id":\#(first),"result":{}}"#, from: old)
        harness.answer("tools/call", of: next, "{}")
        #expect(harness.router.sessions.read(session) { $0.working } == 0)
        #expect(harness.router.upstreams.read(next) { $0.busyCount } == 0)
        #expect(harness.router.upstreams.read(next) { $0.ghosts } == 0)
    }

    @Test("a next process that does not shake hands in time is given up; nobody notices")
    func swapFails() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready()
        let old = harness.shared
        harness.router.replaceShared(for: harness.router.snapshot, at: harness.now)
        harness.perform()
        harness.advance(31)
        #expect(harness.shared == old)
        let failed = harness.others.contains {
            if case .swapFailed = $0 { true } else { false }
        }
        #expect(failed)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session)
        harness.answer("tools/call", of: old, "{}")
        #expect(Text.member("id", harness.last(session)) == "1")
    }
}
