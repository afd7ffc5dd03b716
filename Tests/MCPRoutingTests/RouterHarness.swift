import GatewayConfiguration
import GatewayEvents
import JSONRPCWire
import NIOCore
import Testing
import ToolPolicy

@testable import MCPRouting

/// A router with everything around it played by the test: what it asks for is kept, time moves by hand.
final class RouterHarness {
    var router: Router
    var now = Moment(monotonic: 1_000_000_000, wall: 1_700_000_000_000_000_000)
    var sent: [SessionID: [String]] = [:]
    /// What was sent that belongs to an exchange.
    var answers: [Exchange: [String]] = [:]
    var endedExchanges: [Exchange] = []
    var forwarded: [UpstreamID: [String]] = [:]
    var events: [AuditEvent] = []
    var others: [Action] = []
    /// What the audit's gate answers.
    var gateReason: String?
    /// Whether a next shared upstream is given up when it has shaken hands, as when its audit cannot be opened.
    var refusesSwaps = false
    private let scanner = MessageScanner(maxDepth: 128)

    init(_ settings: Settings = RouterHarness.settings()) {
        router = Router(snapshot: Self.snapshot(settings, generation: 1), version: "1.0")
        perform()
    }

    /// In front of a legacy upstream, unless `change` says otherwise: the era suites do.
    static func settings(
        tools: ToolAllowlistSettings? = nil, _ change: (inout Settings) -> Void = { _ in }
    ) -> Settings {
        var settings = Settings(upstream: UpstreamSettings(command: ["true"]), configPath: "/test.yaml")
        settings.upstream.era = .legacy
        if let tools { settings.toolAllowlists = [tools] }
        change(&settings)
        return settings
    }

    static func snapshot(_ settings: Settings, generation: Int) -> Snapshot {
        Snapshot(
            generation: generation, configHash: "00000000", settings: settings,
            policies: PolicyChain(
                settings.toolAllowlists.map(ToolAllowlist.init)
                    + (settings.outputSanitization.map { [OutputSanitization($0)] } ?? [])))
    }

    // MARK: - Events

    func open(_ name: String = "session") -> SessionID {
        router.open(
            SessionIdentity(
                sessionID: name, transport: "unix", peer: "uid=0", clientName: nil, clientVersion: nil))
    }

    /// A scanned message, for what only looks at one.
    static func message(_ text: String) throws -> Message {
        let line = ByteBuffer(string: text)
        guard case .message(let scan) = MessageScanner(maxDepth: 64).scan(line) else { throw Unreadable(text: text) }
        return Message(bytes: line, scan: scan)
    }

    struct Unreadable: Error {
        let text: String
    }

    func receive(_ text: String, from session: SessionID, exchange: Exchange = .session) {
        let line = ByteBuffer(string: text)
        switch scanner.scan(line) {
        case .message(let scan):
            router.receive(
                Message(bytes: line, scan: scan), from: session, exchange: exchange, at: now,
                gate: { _, _, _ in self.gateReason })
        case .rejected(let rejection):
            router.rejected(rejection, line, from: session, exchange: exchange, at: now)
        case .batch(let elements):
            let scanned = elements.map { element in
                let (outcome, bytes) = scanner.scan(element: element, of: line)
                return (outcome: outcome, bytes: bytes)
            }
            router.batch(
                scanned, line: line, from: session, exchange: exchange, at: now,
                gate: { _, _, _ in self.gateReason })
        }
        perform()
    }

    func receive(_ text: String, from upstream: UpstreamID) {
        let line = ByteBuffer(string: text)
        switch scanner.scan(line) {
        case .message(let scan): router.receive(Message(bytes: line, scan: scan), from: upstream, at: now)
        case .rejected(let rejection): router.rejected(rejection, line, from: upstream, at: now)
        case .batch: Issue.record("the harness's upstreams send no batches")
        }
        perform()
    }

    func advance(_ seconds: Double) {
        now.monotonic += UInt64(seconds * 1e9)
        now.wall += Int64(seconds * 1e9)
        router.tick(at: now)
        perform()
    }

    func perform() {
        var actions: [Action] = []
        while router.hasActions {
            router.takeActions(into: &actions)
            for action in actions {
                switch action {
                case .send(let session, let message, let exchange):
                    let text = String(buffer: message.rendered())
                    sent[session, default: []].append(text)
                    if exchange != .session { answers[exchange, default: []].append(text) }
                case .exchangeEnded(_, let exchange): endedExchanges.append(exchange)
                case .forward(let upstream, let message):
                    forwarded[upstream, default: []].append(String(buffer: message.rendered()))
                case .record(let event): events.append(event)
                case .swapReady where refusesSwaps: router.abandonSwap("its audit cannot be opened", at: now)
                case .swapReady: router.completeSwap(at: now)
                default: others.append(action)
                }
            }
            actions.removeAll()
        }
    }

    // MARK: - The usual upstream

    var shared: UpstreamID { router.shared }

    static let capabilities =
        #"{"tools":{},"logging":{},"prompts":{"listChanged":true},"resources":{"subscribe":true}}"#

    /// Starts an upstream's process and answers its handshake and its list of tools.
    func start(
        _ upstream: UpstreamID? = nil, version: String = "2025-11-25",
        capabilities: String = RouterHarness.capabilities,
        tools: [String] = ["read", "write"]
    ) {
        let upstream = upstream ?? shared
        router.upstreamStarted(upstream, pid: 42, program: "true", restart: 0, at: now)
        perform()
        answer(
            "initialize", of: upstream,
            #"{"protocolVersion":"\#(version)","capabilities":\#(capabilities),"serverInfo":{"name":"u","version":"1"}}"#
        )
        if capabilities.contains("tools") { answerTools(tools, of: upstream) }
    }

    func answerTools(_ tools: [String], of upstream: UpstreamID) {
        let entries = tools.map { #"{"name":"\#($0)"}"# }.joined(separator: ",")
        answer("tools/list", of: upstream, #"{"tools":[\#(entries)]}"#)
    }

    /// Answers the last forwarded request of a method.
    func answer(_ method: String, of upstream: UpstreamID, _ result: String) {
        guard let id = lastID(of: method, at: upstream) else {
            Issue.record("no \(method) was forwarded")
            return
        }
        receive(#"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#, from: upstream)
    }

    func lastID(of method: String, at upstream: UpstreamID) -> Int? {
        forwarded[upstream]?.last { Text.member("method", $0) == "\"\(method)\"" }.flatMap { Text.member("id", $0) }
            .flatMap(Int.init)
    }

    /// A session that has been told it is initialized.
    func ready(_ name: String = "session", version: String = "2025-11-25", capabilities: String = "{}") -> SessionID {
        let session = open(name)
        receive(Self.initialize(version: version, capabilities: capabilities), from: session)
        return session
    }

    static func initialize(id: String = "0", version: String = "2025-11-25", capabilities: String = "{}") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"initialize","params":{"protocolVersion":"\#(version)","#
            + #""capabilities":\#(capabilities),"clientInfo":{"name":"Test Client","version":"9"}}}"#
    }

    static func call(id: String, tool: String, token: String? = nil) -> String {
        let meta = token.map { #","_meta":{"progressToken":\#($0)}"# } ?? ""
        return
            #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":{}\#(meta)}}"#
    }

    func last(_ session: SessionID) -> String { sent[session]?.last ?? "" }

    /// The audit's lines in short: `REQUEST 1 tools/call read`, `RESPONSE 1 ok`, ….
    var trail: [String] { events.map(Text.short) }
}

/// Reading the harness's texts.
enum Text {
    /// A top-level member's JSON text.
    static func member(_ name: String, _ json: String) -> String? {
        let bytes = ByteBuffer(string: json)
        let range = JSONText.member(name, of: ByteRange(0, bytes.readableBytes), in: bytes)
        guard range.isPresent else { return nil }
        return bytes.getString(at: Int(range.lower), length: range.count)
    }

    static func path(_ names: [String], _ json: String) -> String? {
        names.reduce(Optional(json)) { text, name in text.flatMap { member(name, $0) } }
    }

    static func short(_ event: AuditEvent) -> String {
        func id(_ call: AuditEvent.Call) -> String { call.requestID ?? "-" }
        func end(_ outcome: AuditEvent.Outcome) -> String {
            outcome.failure.map { $0.reason ?? $0.code.map(String.init) ?? "isError" } ?? "ok"
        }
        switch event.kind {
        case .request(let call, let plugin):
            return (["REQUEST", id(call), call.method] + [call.tool, plugin].compactMap { $0 }).joined(separator: " ")
        case .response(let call, let outcome): return "RESPONSE \(id(call)) \(end(outcome))"
        case .securityBlock(let call, let block): return "SECURITY_BLOCK \(id(call)) \(block.reason)"
        case .toolsFiltered(let call, _, let count): return "TOOLS_FILTERED \(id(call)) \(count)"
        case .notification(let method, _, let direction, let note):
            return "NOTIFICATION \(direction.rawValue) \(method)" + (note.map { " (\($0))" } ?? "")
        case .serverRequest(let call): return "SERVER_REQUEST \(id(call)) \(call.method)"
        case .serverResponse(let call, let outcome): return "SERVER_RESPONSE \(id(call)) \(end(outcome))"
        case .invalidMessage(let direction, let reason, _, _): return "INVALID_MESSAGE \(direction.rawValue) \(reason)"
        case .sessionStart(let note): return "SESSION_START" + (note.map { " (\($0))" } ?? "")
        case .sessionEnd(let reason): return "SESSION_END \(reason)"
        case .upstreamStart(_, _, let restart): return "UPSTREAM_START \(restart)"
        case .upstreamExit(_, _, _, let status): return "UPSTREAM_EXIT \(status)"
        case .configReload(let outcome, _): return "CONFIG_RELOAD \(outcome.result)"
        }
    }
}
