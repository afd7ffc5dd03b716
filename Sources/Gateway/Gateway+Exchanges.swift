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

    /// A client has ended its session: what is in flight is cancelled.
    public func sessionEnded(by id: SessionID) {
        eventLoop.assertInEventLoop()
        guard clients[id] != nil else { return }
        router.end(id, .endOfInput, at: clock.now())
        perform()
    }

    /// The protocol revision that a session was told; nil until `initialize` has been answered.
    public func revision(of id: SessionID) -> String? {
        router.revision(of: id)
    }

    /// The revisions that a client may name in `MCP-Protocol-Version`.
    public static var protocolVersions: Set<String> { Router.protocolVersions }

    /// Whether new work is taken; false once the gateway is ending.
    public var isServing: Bool { shutdown == nil }
}
