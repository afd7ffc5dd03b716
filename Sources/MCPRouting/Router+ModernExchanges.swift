public import EraTranslation
internal import GatewayEvents

/// What a door needs for requests of the modern era that come in exchanges of their own, as over HTTP.
///
/// Such a door opens one session per peer, with an identity without `sessionID`: the audit then has no SESSION_START or
/// SESSION_END of it, and the records name peer and client. A `requestState` is good in the session that it was issued
/// in, and a legacy upstream's own process belongs to a session: so it must not be one session per request.
extension Router {
    /// An exchange whose client has gone: in the modern era that cancels its requests, subscriptions too. Nothing more
    /// is sent of it but its end.
    public mutating func dropped(_ exchange: Exchange, of session: SessionID, at now: Moment) {
        guard exchange != .session else { return }
        for id in sessions.read(session, { $0.openRequests }) ?? [] {
            if pending.read(id, { $0.exchange == exchange }) == true { abandon(id, .cancelled, at: now) }
        }
        endIfDone(session, at: now)
    }

    /// Which headers repeat arguments of a tool, by the input schema that a session's upstream has shown; nil for a
    /// tool without any, and until the tools have been read after a handshake.
    public func parameterHeaders(of tool: String, for session: SessionID) -> ParameterHeaders? {
        let upstream = (sessions.read(session) { $0.upstream } ?? nil) ?? shared
        return upstreams.read(upstream) { $0.catalog.headers[tool] } ?? nil
    }
}
