internal import GatewayEvents

extension HTTPGuard.Record {
    /// What the audit records as SECURITY_BLOCK.
    var block: AuditEvent.Block {
        AuditEvent.Block(
            plugin: "http_guard", reason: detail.map { "\(reason): \($0)" } ?? reason,
            summary: "HTTP request refused: \(reason)", metadata: [("peer", peer), ("count", String(count))])
    }
}
