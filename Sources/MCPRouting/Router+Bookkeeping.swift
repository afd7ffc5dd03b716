internal import EraTranslation
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

/// Log levels and subscriptions: sessions have theirs, the upstream has the sum of them.
extension Router {
    // MARK: - Log levels

    mutating func setLevel(_ incoming: Incoming, at now: Moment) {
        guard let upstream = sessions.read(incoming.session, { $0.upstream }) ?? nil,
            upstreams.read(upstream, { $0.handshake?.hasLogging == true }) == true
        else { return fail(incoming, code: -32601, "method not found: logging/setLevel", at: now) }
        guard let text = incoming.message.string(.paramsLevel), let level = MCPLogLevel(rawValue: text) else {
            return fail(incoming, code: -32602, "logging/setLevel without a known params.level", at: now)
        }
        sessions.update(incoming.session) {
            $0.level = level
            $0.envelope = nil
        }
        adjustLevel(of: upstream, at: now)
        answer(incoming, Reply.empty(id: incoming.id), at: now)
    }

    /// Sets the most verbose level that any session wants, when that has changed.
    mutating func adjustLevel(of upstream: UpstreamID, at now: Moment) {
        let wanted = sessions.ids.compactMap { id in
            sessions.read(id) { $0.upstream == upstream && $0.phase != .initializing ? $0.level : nil } ?? nil
        }.min()
        let isChanged = upstreams.update(upstream) { state in
            // With nobody left who asked, the last level stays: servers have no way back to their default.
            guard let wanted, state.level != wanted else { return false }
            state.level = wanted
            return state.phase == .ready
        }
        if isChanged == true { sendLevel(to: upstream, at: now) }
    }

    private mutating func sendLevel(to upstream: UpstreamID, at now: Moment) {
        // In the modern era each request carries it.
        guard upstreams.read(upstream, { $0.era }) == .legacy, let level = upstreams.read(upstream, { $0.level }) ?? nil
        else { return }
        ask(.setLevel, of: upstream, MCPMethod.setLevel.rawValue, Reply.params("level", level.rawValue), at: now)
    }

    // MARK: - Subscriptions

    /// The first subscriber's request goes upstream; later ones are answered here.
    mutating func subscribe(_ incoming: Incoming, at now: Moment) {
        guard let upstream = sessions.read(incoming.session, { $0.upstream }) ?? nil else { return }
        guard upstreams.read(upstream, { $0.handshake?.hasSubscriptions == true }) == true else {
            return fail(incoming, code: -32601, "method not found: resources/subscribe", at: now)
        }
        guard let text = incoming.message.string(.paramsURI) else {
            return fail(incoming, code: -32602, "resources/subscribe without params.uri", at: now)
        }
        guard text.utf8.count <= Self.longestURI,
            sessions.read(incoming.session, { $0.subscriptions.count < Self.mostSubscriptions }) == true
        else {
            let caps = "at most \(Self.mostSubscriptions) per session, each of \(Self.longestURI) bytes"
            return fail(incoming, .overloaded("subscriptions: \(caps)"), at: now)
        }
        let uri = ExactName(text)
        let isFirst = upstreams.read(upstream) { $0.subscribers[uri] == nil } ?? true
        sessions.update(incoming.session) { _ = $0.subscriptions.insert(uri) }
        upstreams.update(upstream) { _ = $0.subscribers[uri, default: []].insert(incoming.session) }
        if upstreams.read(upstream, { $0.era }) == .modern {
            subscriptionsChanged(incoming, at: upstream, isFirst, at: now)
        } else if isFirst {
            if !forward(incoming, effect: .subscribed(uri), at: now) {
                sessions.update(incoming.session) { _ = $0.subscriptions.remove(uri) }
                _ = leave(incoming.session, uri, on: upstream)
            }
        } else {
            answer(incoming, Reply.empty(id: incoming.id), at: now)
        }
    }

    static var mostSubscriptions: Int { 1000 }
    private static var longestURI: Int { 8192 }

    /// A subscription that the upstream did not take is none.
    mutating func subscriptionFailed(_ uri: ExactName, of request: Pending) {
        guard let session = request.session else { return }
        sessions.update(session) { _ = $0.subscriptions.remove(uri) }
        _ = leave(session, uri, on: request.upstream)
    }

    /// The last subscriber's request goes upstream; earlier ones are answered here.
    mutating func unsubscribe(_ incoming: Incoming, at now: Moment) {
        guard let upstream = sessions.read(incoming.session, { $0.upstream }) ?? nil else { return }
        guard upstreams.read(upstream, { $0.handshake?.hasSubscriptions == true }) == true else {
            return fail(incoming, code: -32601, "method not found: resources/unsubscribe", at: now)
        }
        guard let text = incoming.message.string(.paramsURI) else {
            return fail(incoming, code: -32602, "resources/unsubscribe without params.uri", at: now)
        }
        let uri = ExactName(text)
        let session = incoming.session
        let was = sessions.update(session) { $0.subscriptions.remove(uri) != nil }
        // Whoever had not subscribed must not end what somebody else has.
        let isLast = was == true && leave(session, uri, on: upstream)
        if upstreams.read(upstream, { $0.era }) == .modern {
            subscriptionsChanged(incoming, at: upstream, isLast, at: now)
        } else if isLast {
            forward(incoming, effect: .none, at: now)
        } else {
            answer(incoming, Reply.empty(id: incoming.id), at: now)
        }
    }

    /// An ended session's subscription, taken back on its behalf.
    mutating func unsubscribe(_ session: SessionID, from uri: ExactName, on upstream: UpstreamID, at now: Moment) {
        guard leave(session, uri, on: upstream), upstreams.read(upstream, { $0.phase == .ready }) == true,
            upstreams.read(upstream, { $0.role }) == .shared || sessions.read(session, { $0.era }) == .modern
        else { return }
        guard upstreams.read(upstream, { $0.era }) == .legacy else { return listen(to: upstream, at: now) }
        ask(.unsubscribe, of: upstream, MCPMethod.unsubscribe.rawValue, Reply.params("uri", uri.string), at: now)
    }

    /// Whether nobody else has subscribed.
    private mutating func leave(_ session: SessionID, _ uri: ExactName, on upstream: UpstreamID) -> Bool {
        upstreams.update(upstream) { state in
            state.subscribers[uri]?.remove(session)
            guard state.subscribers[uri]?.isEmpty ?? true else { return false }
            state.subscribers[uri] = nil
            return true
        } ?? false
    }

    /// Tells a process that has just shaken hands what the one before it had been told.
    mutating func restore(_ upstream: UpstreamID, at now: Moment) {
        guard
            let (handshake, level, uris) = upstreams.read(
                upstream, { ($0.handshake, $0.level, Array($0.subscribers.keys)) })
        else { return }
        guard handshake?.version.era == .legacy else { return listen(to: upstream, at: now) }
        if handshake?.hasLogging == true, level != nil { sendLevel(to: upstream, at: now) }
        guard handshake?.hasSubscriptions == true else { return }
        for uri in uris.sorted(by: { $0.string < $1.string }) {
            ask(.subscribe, of: upstream, MCPMethod.subscribe.rawValue, Reply.params("uri", uri.string), at: now)
        }
    }
}
