public import EraTranslation
internal import GatewayConfiguration
internal import GatewayEvents
public import JSONRPCWire
public import MCPRouting
public import NIOCore
internal import NIOPosix

/// What a door calls that takes whole messages instead of lines. All on the loop.
extension Gateway {
    /// Scans one body: at once, or on a worker when it is long, and then calls `finish` on the loop.
    public func scan(body: ByteBuffer, then finish: @escaping (ScanOutcome) -> Void) {
        eventLoop.assertInEventLoop()
        guard body.readableBytes > LineReader.inlineLimit else {
            return finish(MessageScanner(maxDepth: snapshot.settings.limits.maxDepth).scan(body))
        }
        scan(body, then: finish)
    }

    /// One scanned body of a client. `body` must hold no line break: it goes to the upstream as a line. What it leads to
    /// comes back as the exchange; a session without requests in it takes ``Exchange/session``.
    public func receive(_ outcome: ScanOutcome, _ body: ByteBuffer, from id: SessionID, exchange: Exchange) {
        eventLoop.assertInEventLoop()
        guard let client = clients[id] else { return }
        let now = clock.now()
        client.lastActivity = now.monotonic
        if wireLog != nil { show(body, from: id) }
        take(outcome, body, from: client, exchange: exchange, at: now)
        performInput(of: client)
    }

    /// The client of an exchange has gone before its answer. In the modern era that cancels its requests (transports/
    /// streamable-http, "Cancellation"); in the legacy era a door does not call this.
    public func dropped(_ exchange: Exchange, of id: SessionID) {
        eventLoop.assertInEventLoop()
        guard clients[id] != nil else { return }
        router.dropped(exchange, of: id, at: clock.now())
        perform()
    }

    /// See ``Router/isFree(_:)``.
    public func isFree(_ id: SessionID) -> Bool { router.isFree(id) }

    /// See ``Router/mayBridgeQuestions``.
    public var mayBridgeQuestions: Bool { router.mayBridgeQuestions }

    /// See ``Router/session(askedBy:among:at:)``.
    public func session(askedBy message: Message, among candidates: [SessionID]) -> SessionID? {
        router.session(askedBy: message, among: candidates, at: clock.now())
    }

    /// Which headers a `tools/call` has to repeat its arguments in; nil where there is nothing to check.
    public func parameterHeaders(of tool: String, for id: SessionID) -> ParameterHeaders? {
        router.parameterHeaders(of: tool, for: id)
    }

    /// A client has ended its session: what is in flight is cancelled.
    public func sessionEnded(by id: SessionID) {
        eventLoop.assertInEventLoop()
        guard clients[id] != nil else { return }
        router.end(id, .endOfInput, at: clock.now())
        perform()
    }

    /// Whether nothing of a session is in flight.
    public func isIdle(_ id: SessionID) -> Bool {
        router.isIdle(id)
    }

    /// The protocol revision that a session was told; nil until `initialize` has been answered.
    public func revision(of id: SessionID) -> String? {
        router.revision(of: id)
    }

    /// The legacy revisions that a client may name in `MCP-Protocol-Version`.
    public static var protocolVersions: Set<String> { Router.protocolVersions }

    /// Whether new work is taken; false once the gateway is ending.
    public var isServing: Bool { shutdown == nil }
}
