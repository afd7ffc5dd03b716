internal import AuditTrail
internal import GatewayConfiguration
public import GatewayEvents
internal import JSONRPCWire
internal import MCPRouting
public import NIOCore

/// Connections that are not let in.
extension Gateway {
    /// Audits a client that ``connect(_:_:)`` did not take, and says why.
    public func refuseConnection(_ identity: SessionIdentity) -> String {
        let reason =
            shutdown != nil
            ? "gateway is shutting down" : "too many sessions (max_sessions is \(snapshot.settings.limits.maxSessions))"
        let now = clock.now()
        for kind in [AuditEvent.Kind.sessionStart(note: nil), .sessionEnd(reason: "refused: \(reason)")] {
            trail.record(AuditEvent(time: now.wall, snapshot: snapshot, session: identity, kind: kind))
        }
        observer?.connectionRefused()
        perform()
        return reason
    }

    /// The line that such a client reads.
    public func refusal(_ reason: String) -> ByteBuffer {
        var line = ErrorReply.bytes(id: .null, code: -32603, message: reason, data: [("reason", "overloaded")])
        line.writeInteger(UInt8(ascii: "\n"))
        return line
    }

    /// Audits a request that the HTTP door refused before it belonged to a session: never in the audit's reserve, so that
    /// a stranger cannot close its gate. `peer` is the address without its port.
    public func refusedHTTP(_ block: AuditEvent.Block, peer: String) {
        eventLoop.assertInEventLoop()
        let identity = SessionIdentity(
            sessionID: nil, transport: "http", peer: peer, clientName: nil, clientVersion: nil)
        let call = AuditEvent.Call(requestID: nil, method: "http", tool: nil)
        let event = AuditEvent(
            time: clock.now().wall, snapshot: snapshot, session: identity, kind: .securityBlock(call, block))
        trail.record(event)
        observer?.observe(event)
        perform()
    }
}
