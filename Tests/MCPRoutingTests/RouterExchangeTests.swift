import Testing

@testable import MCPRouting

@Suite("Exchanges of one session")
struct RouterExchangeTests {
    private let first = Exchange(number: 1)
    private let second = Exchange(number: 2)

    private func scene() -> (RouterHarness, SessionID) {
        let harness = RouterHarness()
        harness.start()
        return (harness, harness.ready())
    }

    private func ids(_ harness: RouterHarness) -> [String] {
        (harness.forwarded[harness.shared] ?? []).filter { Text.member("method", $0) == #""tools/call""# }
            .compactMap { Text.member("id", $0) }
    }

    private func answer(_ id: String, _ result: String, _ harness: RouterHarness) {
        harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#, from: harness.shared)
    }

    @Test("the same id in two exchanges: each gets its own answer, in whatever order", arguments: [[0, 1], [1, 0]])
    func sameID(order: [Int]) throws {
        let (harness, session) = scene()
        let exchanges = [first, second]
        for exchange in exchanges {
            harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session, exchange: exchange)
        }
        let sent = ids(harness)
        try #require(Set(sent).count == 2)
        for index in order { answer(sent[index], "\(index)", harness) }
        for index in order {
            #expect(harness.answers[exchanges[index]] == [#"{"jsonrpc":"2.0","id":1,"result":\#(index)}"#])
        }
        #expect(harness.endedExchanges == order.map { exchanges[$0] })
        #expect(harness.router.isIdle(session))
    }

    @Test("a question is withdrawn where it was asked, before its call ends there")
    func withdrawal() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready("asked", capabilities: #"{"sampling":{}}"#)
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session, exchange: first)
        harness.receive(
            #"{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}"#,
            from: own)
        harness.router.upstreamExited(own, pid: 7, program: "true", restart: 0, status: "signal 9", at: harness.now)
        harness.perform()
        let methods = harness.answers[first]?.map { Text.member("method", $0) ?? "answer" }
        #expect(methods == [#""sampling/createMessage""#, #""notifications/cancelled""#, "answer"])
    }

    @Test("the same id twice in one exchange is refused")
    func sameIDInOneExchange() {
        let (harness, session) = scene()
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session, exchange: first)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session, exchange: second)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session, exchange: first)
        #expect(ids(harness).count == 2)
        #expect(Text.path(["error", "code"], harness.last(session)) == "-32600")
    }

    @Test("progress and the answer of a call belong to its exchange; nothing else does")
    func progress() throws {
        let (harness, session) = scene()
        harness.receive(RouterHarness.call(id: "1", tool: "read", token: #""t""#), from: session, exchange: first)
        harness.receive(RouterHarness.call(id: "1", tool: "read", token: #""t""#), from: session, exchange: second)
        let sent = ids(harness)
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(sent[0]),"progress":1}}"#,
            from: harness.shared)
        harness.receive(#"{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}"#, from: harness.shared)
        #expect(harness.answers[first]?.count == 1)
        #expect(harness.answers[second] == nil)
        #expect(harness.endedExchanges.isEmpty)
        let progress = try #require(harness.answers[first]?.first)
        #expect(Text.path(["params", "progressToken"], progress) == #""t""#)
    }

    @Test("what the upstream asks goes with the only call in flight; with several, or none, to the session")
    func asked() throws {
        let harness = RouterHarness()
        harness.start()
        let session = harness.ready(capabilities: #"{"sampling":{}}"#)
        let own = try #require(harness.router.upstream(of: session))
        harness.start(own)
        func ask(_ id: Int) {
            harness.receive(#"{"jsonrpc":"2.0","id":\#(id),"method":"sampling/createMessage","params":{}}"#, from: own)
        }
        ask(1)
        #expect(harness.answers[first] == nil)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session, exchange: first)
        ask(2)
        #expect(harness.answers[first]?.count == 1)
        harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session, exchange: second)
        ask(3)
        #expect(harness.answers[first]?.count == 1)
        #expect(harness.answers[second] == nil)
    }

    @Test("a cancel means the newest exchange with the id, the next one the one before")
    func cancel() throws {
        let (harness, session) = scene()
        for exchange in [first, second] {
            harness.receive(RouterHarness.call(id: "1", tool: "read"), from: session, exchange: exchange)
        }
        let sent = ids(harness)
        let cancel = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
        harness.receive(cancel, from: session)
        #expect(harness.endedExchanges == [second])
        let forwarded = try #require(harness.forwarded[harness.shared]?.last)
        #expect(Text.path(["params", "requestId"], forwarded) == sent[1])
        harness.receive(cancel, from: session)
        #expect(harness.endedExchanges == [second, first])
        #expect(harness.answers.isEmpty)
        harness.receive(cancel, from: session)
        #expect(harness.trail.last == "NOTIFICATION client notifications/cancelled (for no request in flight)")
    }

    @Test("a batch is one exchange, which ends with its array, or with nothing")
    func batch() {
        let harness = RouterHarness()
        harness.start(version: "2025-03-26")
        let session = harness.ready(version: "2025-03-26")
        harness.receive(
            #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]"#, from: session,
            exchange: first)
        #expect(harness.answers[first]?.count == 1)
        harness.receive(
            #"[{"jsonrpc":"2.0","method":"notifications/initialized"}]"#, from: session, exchange: second)
        #expect(harness.answers[second] == nil)
        #expect(harness.endedExchanges == [first, second])
    }

    @Test("every exchange of an upstream that dies is answered")
    func upstreamDies() {
        let (harness, session) = scene()
        for number in 1...3 {
            harness.receive(
                RouterHarness.call(id: "1", tool: "read"), from: session, exchange: Exchange(number: UInt32(number)))
        }
        harness.router.upstreamExited(
            harness.shared, pid: 42, program: "true", restart: 0, status: "exit 1", at: harness.now)
        harness.perform()
        #expect(harness.answers.count == 3)
        #expect(harness.endedExchanges.count == 3)
        #expect(harness.router.isIdle(session))
    }
}
