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

    /// Audits a request that the HTTP door refused before it belonged to a session. `peer` is the address without its
    /// port; `reason` is the door's own text, one of few.
    public func refusedHTTP(_ peer: String, _ reason: String) {
        eventLoop.assertInEventLoop()
        guard let report = refusals.add(peer, reason, now: clock.now().monotonic) else { return }
        record(report)
        perform()
    }

    /// Tells of the refusals that were only counted. Called every second.
    func reportRefusals() {
        for report in refusals.due(at: clock.now().monotonic) { record(report) }
    }

    private func record(_ report: RefusalTable.Report) {
        let identity = SessionIdentity(
            sessionID: nil, transport: "http", peer: report.peer, clientName: nil, clientVersion: nil)
        let block = AuditEvent.Block(
            plugin: "http_guard", reason: report.reason, summary: "HTTP request refused",
            metadata: [("count", String(report.count))])
        trail.record(
            AuditEvent(
                time: clock.now().wall, snapshot: snapshot, session: identity,
                kind: .securityBlock(AuditEvent.Call(requestID: nil, method: "http", tool: nil), block)))
    }
}
