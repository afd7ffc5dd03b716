/// Who is at the other end of a session, as the audit names it. Immutable: when `initialize` tells the client's name,
/// the session takes a new identity, and records already routed keep the old one.
public final class SessionIdentity: Sendable {
    /// 16 hex digits minted by the gateway; nil for requests without a session.
    public let sessionID: String?
    /// `stdio`, `unix` or `http`.
    public let transport: String
    /// `stdio`, `uid=1000 gid=1000 pid=4242`, or `ip:port` with the token's name.
    public let peer: String
    /// From the client's `clientInfo.name`; untrusted text.
    public let clientName: String?
    /// From the client's `clientInfo.version`; untrusted text.
    public let clientVersion: String?

    /// Joins what is known of a client.
    public init(sessionID: String?, transport: String, peer: String, clientName: String?, clientVersion: String?) {
        self.sessionID = sessionID
        self.transport = transport
        self.peer = peer
        self.clientName = clientName
        self.clientVersion = clientVersion
    }
}
