public import EraTranslation
internal import GatewayEvents
public import JSONRPCWire
internal import ToolPolicy

/// What a door needs for requests of the modern era that come in exchanges of their own, as over HTTP.
///
/// Such a door opens sessions with an identity without `sessionID`: the audit then has no SESSION_START or SESSION_END of
/// them, and the records name peer and client. What may ask its client needs a session that is nobody else's as long as
/// the call is open: a `requestState` is good in the session that it was issued in, and a legacy upstream's own process
/// belongs to a session. All other requests of a peer may share one.
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

    /// Whether requests of modern clients may get a process of their own, because the upstream could only ask them so.
    public var mayBridgeQuestions: Bool { verdict.first != .modern }

    /// Whether a session may take a call of another client that looks the same: nothing of it is in flight, and its own
    /// process does not work on a call that was given up, during which it may still ask.
    public func isFree(_ id: SessionID) -> Bool {
        guard isIdle(id) else { return false }
        guard let upstream = sessions.read(id, { $0.upstream }) ?? nil, !isShared(upstream) else { return true }
        return upstreams.read(upstream) { $0.isIdle } ?? true
    }

    /// Which of these sessions was asked what a retry answers; nil for what is no retry, and for a state that none of them
    /// was given, or not any more.
    public func session(askedBy message: Message, among candidates: [SessionID], at now: Moment) -> SessionID? {
        guard InputResponses.isRetry(message) else { return nil }
        do throws(ProtocolError) {
            guard let state = try InputResponses.requestState(of: message) else { return nil }
            return candidates.first { holds(state, for: $0, message, at: now) }
        } catch {
            // It is no string: whoever takes the request says so.
            return nil
        }
    }

    /// Which headers repeat arguments of a tool, by the input schema that a session's upstream has shown, or an earlier
    /// process of the same command; nil for a tool without any, and until the tools were read for the first time.
    public func parameterHeaders(of tool: String, for session: SessionID) -> ParameterHeaders? {
        // What is hidden has no schema either.
        guard snapshot.policies.permits(tool: tool) else { return nil }
        let upstream = (sessions.read(session) { $0.upstream } ?? nil) ?? shared
        let shown = upstreams.read(upstream) { $0.catalog.tools == nil ? nil : $0.catalog.headers } ?? nil
        return (shown ?? knownHeaders)[tool]
    }
}
