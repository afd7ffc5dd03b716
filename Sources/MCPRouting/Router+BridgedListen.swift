internal import EraTranslation
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

/// Change notifications between the eras: a modern client's `subscriptions/listen` in front of a legacy upstream, and
/// legacy clients' subscriptions in one `subscriptions/listen` of the gateway's own.
extension Router {
    // MARK: - Modern clients, legacy upstream

    /// A subscription that only the gateway knows: acknowledged at once, fed from what the upstream tells anyway.
    mutating func bridgeListen(
        _ number: PendingID, _ request: Pending, _ listening: Listening, to id: UpstreamID, at now: Moment
    ) {
        guard let session = request.session, let handshake = upstreams.read(id, { $0.handshake }) ?? nil else { return }
        do throws(ProtocolError) {
            // What its client was promised by the process before is all that it reckons with.
            let filter = try listening.isAcknowledged ? listening.filter : SubscriptionFilter(of: listening.message)
            listening.filter = filter.restricted(
                tools: handshake.hasTools, prompts: handshake.hasPrompts, resourceLists: handshake.hasResources,
                subscribesToResources: handshake.hasSubscriptions)
        } catch {
            return fail(number, error, at: now)
        }
        guard count(listening, in: session) else {
            return fail(number, .overloaded("subscriptions: at most \(Self.mostSubscriptions) per session"), at: now)
        }
        request.stage = .forwarded
        if !listening.isAcknowledged {
            listening.isAcknowledged = true
            let acknowledgement = Subscription(id: request.id).acknowledgement(listening.filter)
            actions.append(.send(session, SplicedMessage(acknowledgement), request.exchange))
        }
        announceLists(toMoved: request, listening)
        for uri in listening.filter.resources.map(ExactName.init) {
            sessions.update(session) { _ = $0.subscriptions.insert(uri) }
            let isFirst = upstreams.update(id) { state in
                defer { state.subscribers[uri, default: []].insert(session) }
                return state.subscribers[uri] == nil
            }
            guard isFirst == true else { continue }
            ask(.subscribe, of: id, MCPMethod.subscribe.rawValue, Reply.params("uri", uri.string), at: now)
        }
    }

    /// Such a subscription has ended: what nobody else of the session wants is taken back.
    mutating func endBridgedListen(_ request: Pending, at now: Moment) {
        guard let session = request.session, case .listen(let listening) = request.effect else { return }
        for uri in uncount(listening, in: session) {
            sessions.update(session) { _ = $0.subscriptions.remove(uri) }
            unsubscribe(session, from: uri, on: request.upstream, at: now)
        }
    }

    /// Counts what a subscription wants of its session's resources. False when they would be too many.
    private mutating func count(_ listening: Listening, in session: SessionID) -> Bool {
        // It may have been counted in front of another process.
        _ = uncount(listening, in: session)
        let wanted = listening.filter.resources.map(ExactName.init)
        let isCounted = sessions.update(session) { state -> Bool in
            let new = wanted.reduce(0) { $0 + (state.listenCounts[$1] == nil ? 1 : 0) }
            guard state.listenCounts.count + new <= Self.mostSubscriptions else { return false }
            for uri in wanted { state.listenCounts[uri, default: 0] += 1 }
            return true
        }
        if isCounted == true { listening.counted = wanted }
        return isCounted == true
    }

    /// The opposite; those that no other subscription of the session wants.
    private mutating func uncount(_ listening: Listening, in session: SessionID) -> [ExactName] {
        let counted = listening.counted
        listening.counted = []
        return sessions.update(session) { state in
            counted.filter { uri in
                guard let count = state.listenCounts[uri], count > 1 else {
                    state.listenCounts[uri] = nil
                    return true
                }
                state.listenCounts[uri] = count - 1
                return false
            }
        } ?? []
    }

    /// Hands a legacy upstream's notification to the streams that asked for it.
    mutating func tellListeners(_ message: Message, of upstream: UpstreamID) -> Bool {
        guard upstreams.read(upstream, { $0.listens > 0 }) == true else { return false }
        var isHeard = false
        for id in pending.all(where: { $0.upstream == upstream && $0.isListen && $0.stage == .forwarded }) {
            guard let request = pending[id], let session = request.session,
                case .listen(let listening) = request.effect, listening.filter.admits(message)
            else { continue }
            isHeard = true
            let tagged = Subscription(id: request.id).tagged(message).applied(to: message.bytes)
            actions.append(.send(session, tagged, request.exchange))
        }
        return isHeard
    }

    // MARK: - Legacy clients, modern upstream

    /// The gateway's own subscription at a modern upstream: it tells when the tools are to be read again, and what
    /// bridged sessions are to hear. A changed one is a new one; the former ends after it, so that nothing falls
    /// between them.
    mutating func listen(to upstream: UpstreamID, at now: Moment) {
        guard
            let (handshake, uris, former) = upstreams.read(
                upstream, { ($0.handshake, $0.subscribers.keys.map(\.string).sorted(), $0.ownListen) }),
            let handshake, handshake.version.era == .modern
        else { return }
        var filter = SubscriptionFilter()
        filter.toolsListChanged = handshake.hasTools
        filter.promptsListChanged = handshake.hasPrompts
        filter.resourcesListChanged = handshake.hasResources
        filter.resources = uris
        guard !filter.isEmpty else { return }
        var members = ByteBuffer(string: #""notifications":"#)
        members.writeImmutableBuffer(filter.json)
        let own = ask(.listen, of: upstream, MCPMethod.listen.rawValue, ownEnvelope(members), at: now)
        upstreams.update(upstream) { $0.ownListen = own }
        guard let former, pending.contains(former) else { return }
        remove(former, at: now)
        actions.append(
            .forward(upstream, Reply.cancellation(of: Lexeme(integer: former.number), reason: "replaced")))
    }

    /// A notification for the gateway's own subscription: all bridged sessions hear it.
    mutating func ownSubscriptionNotified(
        _ message: Message, _ method: MethodName, by upstream: UpstreamID, at now: Moment
    ) {
        let untagged = Subscription.untagged(message).applied(to: message.bytes)
        switch method.known {
        case .toolsChanged:
            for session in members(of: upstream) {
                sessions.update(session) { $0.toolsHash = nil }
                actions.append(.send(session, untagged, .session))
            }
            readTools(of: upstream, at: now)
        case .promptsChanged, .resourcesChanged:
            for session in members(of: upstream) { actions.append(.send(session, untagged, .session)) }
        case .resourceUpdated:
            guard let uri = message.string(.paramsURI) else { return }
            let subscribers = (upstreams.read(upstream) { $0.subscribers[ExactName(uri)] } ?? nil) ?? []
            for session in subscribers.sorted(by: { $0.index < $1.index }) {
                actions.append(.send(session, untagged, .session))
            }
        default: break
        }
    }

    /// A legacy session's subscription in front of a modern upstream: answered here.
    mutating func subscriptionsChanged(_ incoming: Incoming, at upstream: UpstreamID, _ isNews: Bool, at now: Moment) {
        if isNews { listen(to: upstream, at: now) }
        answer(incoming, Reply.empty(id: incoming.id), at: now)
    }
}
