internal import AuditTrail
internal import GatewayEvents
internal import JSONRPCWire
internal import Logging
internal import MCPRouting
internal import NIOCore

/// The wire-level log of `--debug`: every message as it passes, redacted and cut. It costs a rendering for each message
/// and shows what clients and servers say to each other: not for production.
struct WireLog {
    let logger: Logger

    /// How much of a message is shown, in bytes.
    static let limit = 4096

    func show(_ way: String, _ message: ByteBuffer, under snapshot: Snapshot) {
        logger.debug("\(way) \(RedactedMessage(snapshot).text(message, limit: Self.limit))")
    }
}

extension Gateway {
    /// Begins to show every message at level DEBUG. Call before ``start()``.
    public func showMessages() {
        wireLog = WireLog(logger: logger)
    }

    /// Not inlined: the path of a message pays one comparison for this.
    @inline(never)
    func show(_ action: Action) {
        switch action {
        case .send(let id, let message, _):
            wireLog?.show("gateway -> client \(name(of: id))", message.rendered(), under: snapshot)
        case .forward(let id, let message):
            wireLog?.show("gateway -> upstream \(id.index)", message.rendered(), under: snapshot)
        default: return
        }
    }

    @inline(never)
    func show(_ bytes: ByteBuffer, from id: SessionID) {
        wireLog?.show("client \(name(of: id)) -> gateway", bytes, under: snapshot)
    }

    @inline(never)
    func show(_ bytes: ByteBuffer, from link: UpstreamLink) {
        wireLog?.show("upstream \(link.id.index) -> gateway", bytes, under: snapshot)
    }

    private func name(of id: SessionID) -> String {
        router.identity(of: id)?.sessionID ?? "-"
    }
}
