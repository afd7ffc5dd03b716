import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import OutputSanitizer
import Testing

@testable import MCPRouting

@Suite("Modern clients of a modern upstream")
struct RouterModernTests {
    @Test("a call passes as it was sent, with our id and progress token; the answer with the client's")
    func call() throws {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(Modern.call(id: #""a""#, token: #""t""#), from: session)
        let sent = try #require(harness.forwarded[harness.shared]?.last)
        let id = try #require(Text.member("id", sent))
        #expect(sent == Modern.call(id: id, token: id))
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(id),"progress":1.0}}"#,
            from: harness.shared)
        #expect(
            harness.last(session)
                == #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1.0}}"#
        )
        harness.answer("tools/call", of: harness.shared, #"{"resultType":"complete","content":[],"x":1.50}"#)
        #expect(
            harness.last(session)
                == #"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete","content":[],"x":1.50}}"#)
        #expect(
            harness.trail.filter { !$0.hasPrefix("UPSTREAM") } == [
                "SESSION_START", "REQUEST a tools/call read", "NOTIFICATION upstream notifications/progress",
                "RESPONSE a ok",
            ])
        #expect(
            harness.events.first { if case .request = $0.kind { true } else { false } }?.session?.clientName
                == "Test Client")
    }

    @Test("sessions that use the same ids do not meet")
    func apart() throws {
        let harness = RouterHarness.modern()
        let (first, second) = (harness.open("a"), harness.open("b"))
        harness.receive(Modern.call(id: "1"), from: first)
        let one = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        harness.receive(Modern.call(id: "1"), from: second)
        harness.answer("tools/call", of: harness.shared, #"{"to":2}"#)
        harness.receive(#"{"jsonrpc":"2.0","id":\#(one),"result":{"to":1}}"#, from: harness.shared)
        #expect(harness.last(first) == #"{"jsonrpc":"2.0","id":1,"result":{"to":1}}"#)
        #expect(harness.last(second) == #"{"jsonrpc":"2.0","id":1,"result":{"to":2}}"#)
    }

    @Test("a cancellation reaches the upstream, and the client gets no answer")
    func cancellation() throws {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(Modern.call(id: "1"), from: session)
        let id = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"enough"}}"#,
            from: session)
        #expect(
            harness.forwarded[harness.shared]?.last
                == #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id),"reason":"enough"}}"#
        )
        harness.answer("tools/call", of: harness.shared, "{}")
        #expect(harness.sent[session] == nil)
        #expect(harness.trail.contains("RESPONSE 1 cancelled"))
    }

    @Test("an InputRequiredResult passes, and its retry is admitted anew")
    func inputRequired() throws {
        let tools = ToolAllowlistSettings(mode: .allowlist, tools: ["read"])
        let harness = RouterHarness.modern(tools: tools)
        let session = harness.open()
        harness.receive(Modern.call(id: "1", capabilities: #"{"elicitation":{}}"#), from: session)
        let asked =
            #"{"resultType":"input_required","inputRequests":{"q":{"method":"elicitation/create"}},"requestState":"s"}"#
        harness.answer("tools/call", of: harness.shared, asked)
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":1,"result":\#(asked)}"#)
        let members = #""name":"read","arguments":{},"inputResponses":{"q":{"action":"accept"}},"requestState":"s""#
        harness.receive(Modern.request("tools/call", id: "2", members), from: session)
        let id = try #require(harness.lastID(of: "tools/call", at: harness.shared))
        #expect(harness.forwarded[harness.shared]?.last == Modern.request("tools/call", id: "\(id)", members))
        // Under the allowlist in force by then.
        harness.router.adopt(
            RouterHarness.snapshot(
                RouterHarness.settings(tools: ToolAllowlistSettings(mode: .allowlist, tools: [])), generation: 2),
            at: harness.now)
        harness.receive(Modern.request("tools/call", id: "3", members), from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32000")
        #expect(harness.trail.last == "SECURITY_BLOCK 3 Tool 'read' is not in allowlist")
    }

    @Test("lists are filtered as in the legacy era")
    func filtering() {
        let harness = RouterHarness.modern(tools: ToolAllowlistSettings(mode: .allowlist, tools: ["read"]))
        let session = harness.open()
        harness.receive(Modern.request("tools/list", id: "1"), from: session)
        harness.answer(
            "tools/list", of: harness.shared,
            #"{"resultType":"complete","ttlMs":5,"tools":[{"name":"read"},{"name":"rm"}]}"#)
        #expect(
            harness.last(session)
                == #"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":5,"tools":[{"name":"read"}]}}"#)
        #expect(harness.trail.contains("TOOLS_FILTERED 1 1"))
    }

    // MARK: - The choice of an era

    @Test("a subscription that names a log level keeps no log messages from the call that they belong to")
    func subscriptionWithLevel() {
        let harness = RouterHarness.modern()
        let (watcher, session) = (harness.open("a"), harness.open("b"))
        let level = #""io.modelcontextprotocol/logLevel":"debug","#
        harness.receive(
            Modern.request(
                "subscriptions/listen", id: "1", #""notifications":{"toolsListChanged":true}"#,
                meta: Modern.meta(level)), from: watcher)
        harness.receive(Modern.call(id: "1", level: "debug"), from: session)
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"m"}}"#,
            from: harness.shared)
        #expect(harness.last(session).contains("notifications/message"))
    }

    @Test("a task that a server tells of holds a tool's text, which is sanitised and counted")
    func task() throws {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(Modern.listen(id: "1"), from: session)
        let id = try #require(harness.lastID(of: "subscriptions/listen", at: harness.shared))
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/tasks","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":\#(id)},"#
                + #""taskId":"t","result":{"content":[{"type":"text","text":"<b>x"}]}}}"#, from: harness.shared)
        #expect(
            harness.last(session)
                == #"{"jsonrpc":"2.0","method":"notifications/tasks","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":1},"#
                + #""taskId":"t","result":{"content":[{"type":"text","text":"x"}]}}}"#)
        #expect(harness.router.counts.sanitizedResponses == 1)
        #expect(harness.router.counts.sanitized.markup == 1)
        let notes = harness.events.compactMap { event -> String? in
            guard case .notification(_, _, _, let note) = event.kind else { return nil }
            return note
        }
        #expect(notes == ["sanitized: invisible 0, markup 1, code_fences 0"])
    }

    @Test("server/discover is answered at once from the upstream's answer, and binds nobody")
    func discover() throws {
        let harness = RouterHarness.modern()
        let session = harness.open()
        let before = harness.forwarded[harness.shared]?.count
        harness.receive(Modern.request("server/discover", id: "7"), from: session)
        let result = try #require(Text.member("result", harness.last(session)))
        #expect(Text.member("supportedVersions", result) == #"["2026-07-28"]"#)
        #expect(Text.path(["capabilities", "tools"], result) == #"{"listChanged":true}"#)
        #expect(Text.path(["_meta", "io.modelcontextprotocol/serverInfo", "name"], result) == #""u""#)
        #expect(harness.forwarded[harness.shared]?.count == before)
        #expect(harness.trail.suffix(2) == ["REQUEST 7 server/discover", "RESPONSE 7 ok"])
        // It may still choose the other era.
        harness.receive(RouterHarness.initialize(), from: session)
        #expect(harness.router.upstream(of: session) != harness.shared)
    }

    @Test("a discover that comes before the first handshake waits for it")
    func early() {
        let harness = RouterHarness(RouterHarness.settings { $0.upstream.era = .auto })
        let session = harness.open()
        harness.receive(Modern.request("server/discover", id: "1"), from: session)
        #expect(harness.sent[session] == nil)
        harness.startModern(harness.shared)
        #expect(Text.path(["result", "supportedVersions"], harness.last(session)) == #"["2026-07-28"]"#)
    }

    @Test(
        "an era is chosen once: what belongs to the other is refused with what is spoken",
        arguments: [
            (Modern.call(id: "1"), RouterHarness.initialize(id: "2"), "-32022"),
            (Modern.call(id: "1"), RouterHarness.call(id: "2", tool: "read"), "-32602"),
            (RouterHarness.initialize(id: "1"), Modern.call(id: "2"), "-32600"),
            (RouterHarness.initialize(id: "1"), Modern.request("server/discover", id: "2"), "-32600"),
        ])
    func change(first: String, second: String, code: String) throws {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(first, from: session)
        let count = harness.forwarded.values.reduce(0) { $0 + $1.count }
        harness.receive(second, from: session)
        let answer = try #require(harness.sent[session]?.last)
        #expect(Text.member("id", answer) == "2")
        #expect(Text.path(["error", "code"], answer) == code)
        if code == "-32022" {
            #expect(
                Text.path(["error", "data"], answer)
                    == #"{"supported":["2026-07-28"],"requested":"2025-11-25"}"#)
        }
        #expect(harness.trail.last == "RESPONSE 2 \(code)")
        #expect(harness.forwarded.values.reduce(0) { $0 + $1.count } == count)
    }

    @Test(
        "an envelope that is not whole is refused",
        arguments: [
            (#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#, "-32602"),
            (Modern.meta(version: "2027-01-01"), "-32022"), (Modern.meta(capabilities: "[]"), "-32602"),
            (
                #""_meta":{"io.modelcontextprotocol/protocolVersion":20260728,"io.modelcontextprotocol/clientCapabilities":{}}"#,
                "-32602"
            ),
        ])
    func envelope(meta: String, code: String) {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(Modern.request("tools/list", id: "1", meta: meta), from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == code)
        #expect(harness.router.upstream(of: session) == nil, "it has chosen nothing")
    }

    @Test(
        "methods of the legacy era are not found",
        arguments: ["ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"])
    func removed(method: String) {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(Modern.request(method, id: "1"), from: session)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32601")
        #expect(harness.count(of: method, at: harness.shared) == 0)
    }

    @Test("unknown methods and members pass")
    func unknown() throws {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(Modern.request("x/y", id: "1", #""z":1e400"#), from: session)
        let id = try #require(harness.lastID(of: "x/y", at: harness.shared))
        #expect(harness.forwarded[harness.shared]?.last == Modern.request("x/y", id: "\(id)", #""z":1e400"#))
    }

    // MARK: - What upstreams may not do

    @Test(
        "a request of a modern upstream is refused and audited",
        arguments: ["sampling/createMessage", "roots/list", "ping"])
    func asks(method: String) throws {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(Modern.call(id: "1", capabilities: #"{"sampling":{},"roots":{}}"#), from: session)
        harness.receive(#"{"jsonrpc":"2.0","id":"s","method":"\#(method)","params":{}}"#, from: harness.shared)
        let answer = try #require(harness.forwarded[harness.shared]?.last)
        #expect(Text.path(["error", "code"], answer) == "-32601")
        #expect(harness.sent[session] == nil)
        #expect(harness.trail.suffix(2) == ["SERVER_REQUEST s \(method)", "SERVER_RESPONSE s -32601"])
    }

    @Test("an answer of a modern client is audited and dropped")
    func clientAnswers() {
        let harness = RouterHarness.modern()
        let session = harness.open()
        harness.receive(Modern.call(id: "1"), from: session)
        let count = harness.forwarded[harness.shared]?.count
        harness.receive(#"{"jsonrpc":"2.0","id":1,"result":{}}"#, from: session)
        #expect(harness.forwarded[harness.shared]?.count == count)
        #expect(harness.trail.last == "INVALID_MESSAGE client answer to no request")
    }

    // MARK: - Log messages

    @Test("a log message goes to the one request that asked for some, and to nobody in doubt")
    func logs() {
        let harness = RouterHarness.modern()
        let (first, second) = (harness.open("a"), harness.open("b"))
        let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#
        harness.receive(Modern.call(id: "1"), from: second)
        harness.receive(log, from: harness.shared)
        #expect(harness.sent.isEmpty)
        harness.receive(Modern.call(id: "1", level: "debug"), from: first)
        harness.receive(log, from: harness.shared)
        #expect(harness.sent == [first: [log]])
        harness.receive(Modern.call(id: "2", level: "debug"), from: second)
        harness.receive(log, from: harness.shared)
        #expect(harness.sent == [first: [log]])
        #expect(harness.router.counts.droppedNotifications == 2)
    }

    // MARK: - Dedicated

    @Test("in dedicated mode nothing goes upstream before the session's first message, which chooses the era")
    func dedicated() throws {
        let harness = RouterHarness.modern(capabilities: "{}") { $0.upstream.sessions = .dedicated }
        #expect(harness.stops == [harness.starts[0]])
        let session = harness.open()
        harness.receive(Modern.request("server/discover", id: "0"), from: session)
        #expect(Text.path(["result", "supportedVersions"], harness.last(session)) == #"["2026-07-28"]"#)
        #expect(harness.starts.count == 1)
        harness.receive(Modern.call(id: "1"), from: session)
        let own = try #require(harness.router.upstream(of: session))
        #expect(harness.starts.last == own)
        harness.startModern(own)
        #expect(harness.count(of: "tools/call", at: own) == 1)
        harness.answer("tools/call", of: own, "{}")
        #expect(harness.last(session) == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        // Another one is of the legacy era, on the same command.
        let other = harness.open("b")
        harness.receive(RouterHarness.initialize(), from: other)
        let otherOwn = try #require(harness.router.upstream(of: other))
        harness.start(otherOwn)
        #expect(Text.path(["result", "protocolVersion"], harness.last(other)) == #""2025-11-25""#)
    }
}
