import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

/// Sessions of both eras in front of upstreams of each kind, through random interleavings. No message makes the router
/// stumble, every request has one RESPONSE, every client one answer, and nothing is left at the end.
@Suite("Random interleavings of both eras")
struct EraInterleavingTests {
    @Test(
        "nothing is lost, doubled or left open, whatever happens in whatever order",
        arguments: UpstreamKind.allCases, 0..<6)
    func interleavings(kind: UpstreamKind, seed: UInt64) {
        var world = World(kind, seed: seed)
        for _ in 0..<1200 { world.step() }
        world.settle()
        world.check()
    }
}

/// What an upstream's processes speak.
enum UpstreamKind: CaseIterable {
    case legacyOnly, modernOnly, dual, silent
}

private struct World {
    struct Client {
        let id: SessionID
        let name: String
        let era: Era
        /// Ids of requests without an answer that it has not cancelled.
        var open: Set<Int> = []
        /// The states that it was given, with the key that each asks for.
        var states: [(state: String, key: String)] = []
        var seen = 0
        var asked: [String] = []
    }

    struct Work {
        let id: String
        let method: String
    }

    let kind: UpstreamKind
    let harness: RouterHarness
    var random: SplitMix64
    var clients: [Client] = []
    var gone: [String] = []
    var work: [UpstreamID: [Work]] = [:]
    var consumed: [UpstreamID: Int] = [:]
    /// The era that each living process has shown; nil before its first message.
    var alive: [UpstreamID: Era?] = [:]
    var own: Set<UpstreamID> = []
    var othersSeen = 0
    var nextID = 1
    var names = 0
    var generation = 1
    var questions = 0

    init(_ kind: UpstreamKind, seed: UInt64) {
        self.kind = kind
        random = SplitMix64(state: seed &* 31 &+ 7)
        harness = RouterHarness(RouterHarness.settings { $0.upstream.era = .auto })
        for _ in 0..<8 { connect() }
    }

    mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: request()
        case 30..<55: serve()
        case 55..<62: askClient()
        case 62..<68: answerQuestion()
        case 68..<74: retry()
        case 74..<79: cancel()
        case 79..<82: listen()
        case 82..<84: hangUp()
        case 84..<90: start()
        case 90..<92: exit()
        case 92..<97: harness.advance(Double.random(in: 0..<4, using: &random))
        case 97: reload()
        case 98: _ = harness.router.renewOwnUpstreams(at: harness.now)
        default: notify()
        }
        harness.perform()
        observe()
    }

    // MARK: - Clients

    mutating func connect() {
        names += 1
        let era: Era = Bool.random(using: &random) ? .legacy : .modern
        let id = harness.open("s\(names)")
        clients.append(Client(id: id, name: "s\(names)", era: era))
        guard era == .legacy else { return }
        let capabilities = Bool.random(using: &random) ? "{}" : #"{"sampling":{},"elicitation":{}}"#
        harness.receive(RouterHarness.initialize(id: "0", capabilities: capabilities), from: id)
        clients[clients.count - 1].open.insert(0)
    }

    mutating func send(_ at: Int, _ make: (String, Era) -> String) {
        let id = nextID
        nextID += 1
        clients[at].open.insert(id)
        harness.receive(make("\(id)", clients[at].era), from: clients[at].id)
    }

    mutating func request() {
        guard let at = clients.indices.randomElement(using: &random) else { return }
        let capabilities = Bool.random(using: &random) ? "{}" : #"{"sampling":{},"elicitation":{}}"#
        let isCall = Int.random(in: 0..<4, using: &random) > 0
        send(at) { id, era in
            switch (era, isCall) {
            case (.modern, true): Modern.call(id: id, token: id, capabilities: capabilities, level: "info")
            case (.modern, false): Modern.request("server/discover", id: id)
            case (.legacy, true): RouterHarness.call(id: id, tool: "read", token: id)
            case (.legacy, false):
                #"{"jsonrpc":"2.0","id":\#(id),"method":"resources/subscribe","params":{"uri":"x://y"}}"#
            }
        }
    }

    mutating func listen() {
        guard let at = clients.indices.filter({ clients[$0].era == .modern }).randomElement(using: &random) else {
            return
        }
        send(at) { id, _ in
            Modern.listen(id: id, #"{"toolsListChanged":true,"resourceSubscriptions":["x://y"]}"#)
        }
    }

    mutating func cancel() {
        guard let at = clients.indices.randomElement(using: &random),
            let id = clients[at].open.filter({ $0 != 0 }).randomElement(using: &random)
        else { return }
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#, from: clients[at].id
        )
        observe()
        clients[at].open.remove(id)
    }

    mutating func answerQuestion() {
        for at in clients.indices where !clients[at].asked.isEmpty {
            let id = clients[at].asked.removeFirst()
            let member =
                Int.random(in: 0..<5, using: &random) > 0 ? #""result":{"x":1}"# : #""error":{"code":1,"message":"no"}"#
            return harness.receive(#"{"jsonrpc":"2.0","id":\#(id),\#(member)}"#, from: clients[at].id)
        }
    }

    mutating func retry() {
        for at in clients.indices {
            guard let (state, key) = clients[at].states.randomElement(using: &random) else { continue }
            return send(at) { id, _ in
                Modern.request(
                    "tools/call", id: id,
                    #""name":"read","arguments":{},"inputResponses":{"\#(key)":{"y":2}},"requestState":\#(state)"#,
                    meta: Modern.meta(capabilities: #"{"sampling":{},"elicitation":{}}"#))
            }
        }
    }

    mutating func hangUp() {
        guard let at = clients.indices.randomElement(using: &random) else { return }
        let client = clients.remove(at: at)
        gone.append(client.name)
        if Bool.random(using: &random) {
            harness.router.end(client.id, .connectionLost, at: harness.now)
        } else {
            harness.router.inputEnded(client.id, at: harness.now)
        }
        connect()
    }

    // MARK: - Upstreams

    mutating func start() {
        guard let id = harness.router.upstreams.ids.filter({ alive[$0] == nil }).randomElement(using: &random) else {
            return
        }
        alive[id] = .some(nil)
        work[id] = []
        consumed[id] = harness.forwarded[id]?.count ?? 0
        harness.spawn(id)
        observe()
    }

    mutating func exit() {
        guard let id = alive.keys.sorted(by: { $0.index < $1.index }).randomElement(using: &random) else { return }
        alive[id] = nil
        work[id] = nil
        harness.exit(id)
    }

    /// One process answers something that it was sent.
    mutating func serve() {
        guard let id = alive.keys.sorted(by: { $0.index < $1.index }).randomElement(using: &random),
            let at = work[id]?.indices.randomElement(using: &random), let item = work[id]?.remove(at: at)
        else { return }
        answer(item, at: id)
    }

    mutating func answer(_ item: Work, at id: UpstreamID) {
        func reply(_ member: String) { harness.receive(#"{"jsonrpc":"2.0","id":\#(item.id),\#(member)}"#, from: id) }
        switch item.method {
        case "server/discover":
            guard kind != .silent else { return }
            if kind == .legacyOnly { return reply(#""error":{"code":-32601,"message":"no"}"#) }
            alive[id] = .modern
            reply(#""result":\#(Modern.discovered(capabilities: Modern.capabilities))"#)
        case "initialize":
            guard kind != .modernOnly else {
                return reply(#""error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}"#)
            }
            alive[id] = .legacy
            reply(
                #""result":{"protocolVersion":"2025-11-25","capabilities":\#(RouterHarness.capabilities),"#
                    + #""serverInfo":{"name":"u","version":"1"}}"#)
        case "tools/list": reply(#""result":{"tools":[{"name":"read"}]}"#)
        case "subscriptions/listen":
            // It stays open; sometimes it ends.
            if Int.random(in: 0..<6, using: &random) == 0 { reply(#""result":{"resultType":"complete"}"#) }
        case "tools/call" where alive[id] == .some(.modern) && Int.random(in: 0..<3, using: &random) == 0:
            reply(
                #""result":{"resultType":"input_required","inputRequests":{"k":{"method":"sampling/createMessage","#
                    + #""params":{}}},"requestState":"s"}"#)
        default: reply(#""result":{"resultType":"complete","content":[]}"#)
        }
    }

    mutating func askClient() {
        let legacy = alive.filter { $0.value == .legacy }.keys.sorted { $0.index < $1.index }
        guard let id = legacy.randomElement(using: &random) else { return }
        questions += 1
        harness.receive(
            #"{"jsonrpc":"2.0","id":"q\#(questions)","method":"elicitation/create","params":{"message":"?"}}"#, from: id
        )
    }

    mutating func notify() {
        guard let id = alive.keys.sorted(by: { $0.index < $1.index }).randomElement(using: &random) else { return }
        let lines = [
            #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
            #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://y"}}"#,
            #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#,
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q\#(questions)"}}"#,
            #"{"jsonrpc":"2.0","id":99999999,"result":{}}"#,
        ]
        harness.receive(lines.randomElement(using: &random) ?? lines[0], from: id)
    }

    mutating func reload() {
        generation += 1
        let next = RouterHarness.snapshot(RouterHarness.settings { $0.upstream.era = .auto }, generation: generation)
        harness.router.adopt(next, at: harness.now)
        if Bool.random(using: &random) { harness.router.replaceShared(for: next, at: harness.now) }
    }

    // MARK: - What was sent

    mutating func observe() {
        for (id, lines) in harness.forwarded {
            guard alive[id] != nil else { continue }
            for line in lines.dropFirst(consumed[id] ?? 0) {
                guard let method = Text.member("method", line), let number = Text.member("id", line) else { continue }
                work[id, default: []].append(Work(id: number, method: String(method.dropFirst().dropLast())))
            }
            consumed[id] = lines.count
        }
        for case .start(let id, .own) in harness.others.dropFirst(othersSeen) { own.insert(id) }
        for case .stop(let id) in harness.others.dropFirst(othersSeen) {
            alive[id] = nil
            work[id] = nil
            if own.remove(id) != nil { harness.router.ownUpstreamStopped() }
        }
        for case .relaunch(let id) in harness.others.dropFirst(othersSeen) where alive[id] != nil {
            alive[id] = nil
            work[id] = nil
            harness.exit(id)
        }
        othersSeen = harness.others.count
        for at in clients.indices { read(at) }
    }

    mutating func read(_ at: Int) {
        let lines = harness.sent[clients[at].id] ?? []
        for line in lines.dropFirst(clients[at].seen) {
            guard let number = Text.member("id", line) else { continue }
            if Text.member("method", line) != nil {
                #expect(clients[at].era == .legacy, "a modern client is asked nothing in this way: \(line)")
                clients[at].asked.append(number)
                continue
            }
            let id = Int(number) ?? -1
            #expect(clients[at].open.remove(id) != nil, "\(clients[at].name) got an answer to nothing: \(line)")
            guard let state = Text.path(["result", "requestState"], line), clients[at].era == .modern,
                let requests = Text.path(["result", "inputRequests"], line)
            else { continue }
            clients[at].states.append((state, String(requests.dropFirst(2).prefix { $0 != "\"" })))
        }
        clients[at].seen = lines.count
    }

    // MARK: - The end

    mutating func settle() {
        for _ in 0..<60 {
            while let id = harness.router.upstreams.ids.first(where: { alive[$0] == nil }) {
                alive[id] = .some(nil)
                work[id] = []
                consumed[id] = harness.forwarded[id]?.count ?? 0
                harness.spawn(id)
                observe()
            }
            for id in alive.keys.sorted(by: { $0.index < $1.index }) {
                let items = work[id] ?? []
                work[id] = []
                for item in items where alive[id] != nil {
                    answer(item, at: id)
                    harness.perform()
                    observe()
                }
            }
            for _ in 0..<40 { answerQuestion() }
            harness.advance(1)
            observe()
        }
        for client in clients { harness.router.inputEnded(client.id, at: harness.now) }
        harness.perform()
        observe()
        for _ in 0..<80 {
            harness.advance(10)
            observe()
        }
    }

    func check() {
        #expect(harness.trail.count { $0.hasPrefix("RESPONSE") && $0.hasSuffix(" ok") } > 50)
        var open: [String: Int] = [:]
        for event in harness.events {
            let session = event.session?.sessionID ?? "-"
            switch event.kind {
            case .request(let call, _): open["\(session) \(call.requestID ?? "-")", default: 0] += 1
            case .response(let call, _): open["\(session) \(call.requestID ?? "-")", default: 0] -= 1
            case .serverRequest(let call): open["server \(session) \(call.requestID ?? "-")", default: 0] += 1
            case .serverResponse(let call, _): open["server \(session) \(call.requestID ?? "-")", default: 0] -= 1
            default: break
            }
        }
        #expect(open.filter { $0.value != 0 }.isEmpty)
        #expect(harness.router.counts.sessions == 0)
        #expect(harness.router.counts.calls == 0)
        #expect(harness.router.heldCalls.isEmpty)
        #expect(clients.allSatisfy { $0.open.isEmpty }, "every request that was not cancelled was answered")
        for id in harness.router.upstreams.ids {
            harness.router.upstreams.read(id) { state in
                #expect(state.openServerRequests == 0 && state.busyCount == 0 && state.ghosts == 0)
                #expect(state.waiting.isEmpty && state.waitingBytes == 0)
                #expect(state.inFlight == state.listens && state.listens <= 1)
                #expect(state.subscribers.isEmpty)
            }
        }
    }
}
