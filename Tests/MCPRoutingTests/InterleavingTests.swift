import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import Testing

@testable import MCPRouting

/// 100 sessions that all use id 1, through random interleavings. Every answer and every record is checked.
@Suite("Random interleavings")
struct InterleavingTests {
    @Test("nothing is lost, doubled or misrouted, whatever happens in whatever order", arguments: 0..<40)
    func interleavings(seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<3000 { world.step() }
        world.settle()
        world.check()
    }
}

/// A small, fast generator with a seed, so that a failure can be repeated (Steele, Lea and Flood: SplitMix64).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

private struct World {
    /// One call as its client remembers it.
    struct Call {
        var nonce: String
        var tool: String
        var token: String
        var isCancelled = false
    }

    struct Client {
        var id: SessionID
        var name: String
        /// The client's spelling of 1: all of them are the same id.
        var spelling: String
        var open: Call?
        var answered = 0
        var seen = 0
    }

    /// A request as an upstream has it.
    struct Work {
        var id: Int
        var nonce: String
    }

    var random: SplitMix64
    let harness: RouterHarness
    var clients: [Client] = []
    var work: [UpstreamID: [Work]] = [:]
    var alive: Set<UpstreamID> = []
    var consumed: [UpstreamID: Int] = [:]
    var noncesSeen: Set<String> = []
    var blocked: Set<String> = []
    /// Processes that were told to end for another one, and are still there.
    var leaving: Set<UpstreamID> = []
    var own: Set<UpstreamID> = []
    var stopped: Set<UpstreamID> = []
    var (renewals, abandoned) = (0, 0)
    /// Calls that had ended before any upstream saw them: none may see them later.
    var withdrawn: Set<String> = []
    var generation = 1
    var nextNonce = 0
    var names = 0
    var settings: Settings

    static let open = ToolAllowlistSettings(mode: .allowlist, tools: ["read", "write"])
    static let narrow = ToolAllowlistSettings(mode: .allowlist, tools: ["read"])

    init(seed: UInt64) {
        random = SplitMix64(state: seed)
        settings = RouterHarness.settings(tools: Self.open)
        harness = RouterHarness(settings)
        startProcesses()
        for _ in 0..<100 { connect() }
    }

    mutating func step() {
        switch Int.random(in: 0..<1000, using: &random) {
        case 0..<400: call()
        case 400..<780: answer()
        case 780..<850: progress()
        case 850..<910: cancel()
        case 910..<930: hangUp()
        case 930..<950: harness.advance(Double.random(in: 0..<3, using: &random))
        case 950..<965: reload()
        case 965..<975: killProcess()
        case 975..<988: startProcesses()
        case 988..<992: _ = harness.router.renewOwnUpstreams(at: harness.now)
        case 992..<995: leave()
        default:
            harness.refusesSwaps = Bool.random(using: &random)
            harness.router.replaceShared(for: harness.router.snapshot, at: harness.now)
        }
        harness.perform()
        observe()
    }

    // MARK: - What clients do

    mutating func connect() {
        names += 1
        let id = harness.open("s\(names)")
        let spelling = ["1", "1.0", "1e0", "10e-1"].randomElement(using: &random) ?? "1"
        clients.append(Client(id: id, name: "s\(names)", spelling: spelling))
        let capabilities = Int.random(in: 0..<8, using: &random) == 0 ? #"{"sampling":{}}"# : "{}"
        harness.receive(RouterHarness.initialize(id: #""init""#, capabilities: capabilities), from: id)
    }

    mutating func call() {
        let index = Int.random(in: clients.indices, using: &random)
        guard clients[index].open == nil, harness.router.sessions.read(clients[index].id, { $0.version != nil }) == true
        else { return }
        nextNonce += 1
        let call = Call(
            nonce: "n\(nextNonce)", tool: Bool.random(using: &random) ? "read" : "write",
            token: Bool.random(using: &random) ? "1" : #""t""#)
        if settings.toolAllowlists == [Self.narrow], call.tool == "write" { blocked.insert(call.nonce) }
        clients[index].open = call
        harness.receive(
            #"{"jsonrpc":"2.0","id":\#(clients[index].spelling),"method":"tools/call","params":{"name":"\#(call.tool)","#
                + #""arguments":{"nonce":"\#(call.nonce)"},"_meta":{"progressToken":\#(call.token)}}}"#,
            from: clients[index].id)
    }

    mutating func cancel() {
        let index = Int.random(in: clients.indices, using: &random)
        guard let open = clients[index].open else { return }
        withdraw(open)
        // From here on there must be no answer; `observe` sees to it.
        clients[index].open = nil
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#, from: clients[index].id)
    }

    private mutating func withdraw(_ call: Call) {
        if !noncesSeen.contains(call.nonce) { withdrawn.insert(call.nonce) }
    }

    mutating func hangUp() {
        let index = Int.random(in: clients.indices, using: &random)
        if let open = clients[index].open { withdraw(open) }
        harness.router.end(clients[index].id, .connectionLost, at: harness.now)
        harness.perform()
        observe()
        clients.remove(at: index)
        connect()
    }

    // MARK: - What upstreams do

    mutating func answer() {
        guard let upstream = alive.sorted(by: { $0.index < $1.index }).randomElement(using: &random),
            let index = work[upstream]?.indices.randomElement(using: &random),
            let item = work[upstream]?.remove(at: index)
        else { return }
        harness.receive(#"{"jsonrpc":"2.0","id":\#(item.id),"result":{"nonce":"\#(item.nonce)"}}"#, from: upstream)
    }

    mutating func progress() {
        guard let upstream = alive.sorted(by: { $0.index < $1.index }).randomElement(using: &random),
            let item = work[upstream]?.randomElement(using: &random)
        else { return }
        harness.receive(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(item.id),"message":"\#(item.nonce)"}}"#,
            from: upstream)
    }

    mutating func killProcess() {
        guard let upstream = alive.sorted(by: { $0.index < $1.index }).randomElement(using: &random) else { return }
        exit(upstream)
    }

    /// The processes that were told to make room for their successors are gone.
    mutating func leave() {
        for upstream in leaving.sorted(by: { $0.index < $1.index }) { exit(upstream) }
    }

    private mutating func exit(_ upstream: UpstreamID) {
        alive.remove(upstream)
        leaving.remove(upstream)
        work[upstream] = []
        harness.router.upstreamExited(
            upstream, pid: 1, program: "u", restart: 0, status: "signal 9", at: harness.now)
    }

    /// Starts a process for every upstream that has none.
    mutating func startProcesses() {
        for upstream in harness.router.upstreams.ids where !alive.contains(upstream) {
            alive.insert(upstream)
            work[upstream] = []
            harness.router.upstreamStarted(upstream, pid: 1, program: "u", restart: 0, at: harness.now)
            harness.perform()
            observe()
        }
    }

    // MARK: - What the operator does

    mutating func reload() {
        generation += 1
        settings.toolAllowlists = settings.toolAllowlists == [Self.open] ? [Self.narrow] : [Self.open]
        harness.router.adopt(RouterHarness.snapshot(settings, generation: generation), at: harness.now)
    }

    // MARK: - What everybody sees

    mutating func observe() {
        for action in harness.others {
            switch action {
            case .start(let upstream, .own): own.insert(upstream)
            case .relaunch(let upstream):
                renewals += 1
                #expect(own.contains(upstream) && work[upstream]?.isEmpty != false, "a busy process was told to leave")
                if alive.contains(upstream) { leaving.insert(upstream) }
            case .swapFailed: abandoned += 1
            case .stop(let upstream):
                alive.remove(upstream)
                leaving.remove(upstream)
                stopped.insert(upstream)
                work[upstream] = nil
                if own.contains(upstream) { harness.router.ownUpstreamStopped() }
            default: break
            }
        }
        harness.others.removeAll()
        observeUpstreams()
        observeClients()
    }

    private mutating func observeUpstreams() {
        for upstream in harness.forwarded.keys.sorted(by: { ($0.index, $0.generation) < ($1.index, $1.generation) }) {
            let lines = harness.forwarded[upstream] ?? []
            let from = consumed[upstream, default: 0]
            consumed[upstream] = lines.count
            for line in lines[from...] { arrived(line, at: upstream) }
        }
    }

    private mutating func arrived(_ line: String, at upstream: UpstreamID) {
        let id = Text.member("id", line).flatMap(Int.init)
        switch Text.member("method", line) {
        case #""initialize""#:
            harness.receive(
                #"{"jsonrpc":"2.0","id":\#(id ?? 0),"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}}"#,
                from: upstream)
            observe()
        case #""tools/list""#:
            harness.receive(
                #"{"jsonrpc":"2.0","id":\#(id ?? 0),"result":{"tools":[{"name":"read"},{"name":"write"}]}}"#,
                from: upstream)
            observe()
        case #""tools/call""#:
            let nonce = Text.path(["params", "arguments", "nonce"], line)?.split(separator: "\"").first.map(String.init)
            #expect(Text.path(["params", "_meta", "progressToken"], line) == Text.member("id", line))
            guard let nonce, let id else { return }
            #expect(alive.contains(upstream) && !leaving.contains(upstream), "\(nonce) was sent to a leaving process")
            #expect(!stopped.contains(upstream), "\(nonce) was sent to an upstream that was given up")
            #expect(noncesSeen.insert(nonce).inserted, "\(nonce) was sent upstream twice")
            #expect(!blocked.contains(nonce), "\(nonce) was blocked and yet sent upstream")
            #expect(!withdrawn.contains(nonce), "\(nonce) had ended and was sent upstream all the same")
            work[upstream, default: []].append(Work(id: id, nonce: nonce))
        default: break
        }
    }

    private mutating func observeClients() {
        for index in clients.indices {
            let lines = harness.sent[clients[index].id] ?? []
            let from = clients[index].seen
            clients[index].seen = lines.count
            for line in lines[from...] { arrived(line, at: index) }
        }
    }

    private mutating func arrived(_ line: String, at index: Int) {
        let client = clients[index]
        if Text.member("method", line) == #""notifications/progress""# {
            #expect(Text.path(["params", "progressToken"], line) == client.open?.token)
            #expect(Text.path(["params", "message"], line) == client.open.map { "\"\($0.nonce)\"" })
            return
        }
        guard let id = Text.member("id", line), id != #""init""# else { return }
        #expect(id == client.spelling)
        guard let open = client.open else {
            Issue.record("\(client.name) got an answer that it did not wait for: \(line)")
            return
        }
        if let nonce = Text.path(["result", "nonce"], line) {
            #expect(nonce == "\"\(open.nonce)\"", "\(client.name) got somebody else's answer")
        }
        let isBlocked = Text.path(["error", "code"], line) == "-32000"
        #expect(isBlocked == blocked.contains(open.nonce))
        withdraw(open)
        clients[index].open = nil
        clients[index].answered += 1
    }

    // MARK: - The end

    mutating func settle() {
        leave()
        startProcesses()
        for _ in 0..<10_000 where work.values.contains(where: { !$0.isEmpty }) {
            answer()
            harness.perform()
            observe()
        }
        // Whatever an upstream that was given up took with it has been answered; the rest times out.
        for _ in 0..<3 {
            harness.advance(61)
            observe()
            leave()
            startProcesses()
            observe()
        }
        for client in clients {
            #expect(client.open == nil, "\(client.name) still waits")
            harness.router.end(client.id, .endOfInput, at: harness.now)
        }
        harness.perform()
        harness.advance(61)
        observe()
    }

    func check() {
        #expect(harness.router.counts.sessions == 0)
        #expect(harness.router.counts.pending == 0)
        #expect(harness.router.counts.ownUpstreams == 0)
        #expect(renewals > 0 && abandoned > 0)
        #expect(harness.router.generations.map(\.calls) == [0])
        for upstream in harness.router.upstreams.ids {
            let left = harness.router.upstreams.read(upstream) { [$0.busyCount, $0.busySum, $0.ghosts, $0.inFlight] }
            #expect(left == [0, 0, 0, 0])
        }
        // Per session: one RESPONSE for every REQUEST, under the same snapshot, and nothing open in between.
        var open: [String: Int] = [:]
        var requests = 0
        for event in harness.events {
            guard let name = event.session?.sessionID else { continue }
            switch event.kind {
            case .request(let call, _):
                let key = "\(name) \(call.method)"
                #expect(
                    open.updateValue(event.snapshot.generation, forKey: key) == nil, "\(key): two REQUESTs in a row")
                requests += 1
            case .response(let call, _):
                let key = "\(name) \(call.method)"
                #expect(open.removeValue(forKey: key) == event.snapshot.generation, "\(key): RESPONSE of no REQUEST")
            default: break
            }
        }
        #expect(open.isEmpty)
        #expect(requests > 100)
    }
}
