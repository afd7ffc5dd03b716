internal import EraTranslation
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

extension Router {
    // MARK: - From clients

    mutating func notification(
        _ message: Message, from session: SessionID, at now: Moment, gate: AuditGate
    ) {
        startRecord(of: session, at: now)
        guard
            let (identity, upstream, isReady) = sessions.read(
                session, { ($0.identity, $0.upstream, $0.phase != .fresh) })
        else { return }
        let method = MethodName(of: message)
        if let known = method.known, known.isRequest {
            return withoutID(message, known, from: session, identity, at: now)
        }
        var note: String?
        switch method.known {
        case .initialized: break
        case _ where isDroppedByBridge(method, upstream, session):
            note = "not forwarded: the upstream's era has no such notification"
        case .cancelled: note = cancelled(message, by: session, at: now)
        case .rootsChanged where upstream.map(isShared) == true:
            note = "not forwarded: the shared upstream asks for no roots"
        default:
            if gate(snapshot, method.text, nil) != nil {
                note = "dropped: audit unavailable"
            } else if let upstream, isReady {
                dispatch(.notification(message), of: session, to: upstream, at: now)
            } else {
                note = "dropped: session is not initialized"
            }
        }
        record(
            .notification(method: method.text, tool: nil, direction: .fromClient, note: note), session: identity,
            at: now)
    }

    /// A request's method without an id: a lenient server might run it, and nothing would ever answer. Never forwarded.
    private mutating func withoutID(
        _ message: Message, _ method: MCPMethod, from session: SessionID, _ identity: SessionIdentity, at now: Moment
    ) {
        if method == .toolsCall {
            let tool = message.string(.paramsName)
            let request = PolicyRequest(message: message, method: method.rawValue, isToolCall: true, tool: tool)
            if case .refused(let refusal) = snapshot.policies.admit(request) {
                let call = AuditEvent.Call(requestID: nil, method: method.rawValue, tool: tool)
                return record(.securityBlock(call, refusal.block), session: identity, at: now)
            }
        }
        record(
            .invalidMessage(
                direction: .fromClient, reason: "\(method.rawValue) without a request id", offset: 0,
                length: message.bytes.readableBytes),
            session: identity, at: now)
    }

    // MARK: - From upstreams

    mutating func notified(_ message: Message, by upstream: UpstreamID, at now: Moment) {
        let method = MethodName(of: message)
        if upstreams.read(upstream, { $0.era }) == .modern {
            return modernNotified(message, method, by: upstream, at: now)
        }
        var receiver: SessionID?
        var note: String?
        switch method.known {
        case .progress:
            receiver = progress(message, by: upstream, at: now)
            if receiver == nil { note = "dropped: for no request in flight" }
        case .cancelled:
            receiver = serverRequestCancelled(message, by: upstream, at: now)
            if receiver == nil { note = "dropped: for no request in flight" }
        case .toolsChanged:
            toolsChanged(message, at: upstream, now)
        case .promptsChanged, .resourcesChanged:
            _ = tellListeners(message, of: upstream)
            for session in members(of: upstream) {
                actions.append(.send(session, SplicedMessage(message.bytes), .session))
            }
        case .resourceUpdated:
            let isHeard = tellListeners(message, of: upstream)
            note = resourceUpdated(message, by: upstream)
            if isHeard { note = nil }
        default:
            let isTask = method.known == nil && method.text.hasPrefix("notifications/tasks/")
            receiver = isTask && namesNoSession(upstream) ? nil : onlyBusySession(of: upstream)
            if let session = receiver, method.known == .logMessage, sessions.read(session, { $0.era }) == .modern {
                note = logged(message, to: session, by: upstream)
                if note != nil { receiver = nil }
            } else if let receiver {
                if method.known != .logMessage || wants(message, receiver) {
                    actions.append(.send(receiver, SplicedMessage(message.bytes), .session))
                } else {
                    note = "dropped: below the session's log level"
                }
            } else {
                droppedNotifications += 1
                note = "dropped: not meant for one session without doubt"
            }
        }
        recordNotification(method, to: receiver, note, at: now)
    }

    mutating func recordNotification(_ method: MethodName, to receiver: SessionID?, _ note: String?, at now: Moment) {
        let identity = receiver.flatMap { session in sessions.read(session) { $0.identity } }
        record(
            .notification(method: method.text, tool: nil, direction: .fromUpstream, note: note), session: identity,
            at: now)
    }

    /// What the other era of the upstream does not know.
    private func isDroppedByBridge(_ method: MethodName, _ upstream: UpstreamID?, _ session: SessionID) -> Bool {
        guard method.known != .cancelled, let upstream, let era = upstreams.read(upstream, { $0.era }) ?? nil,
            sessions.read(session, { $0.era != era }) == true
        else { return false }
        return era == .modern ? ModernProtocol.isLegacyOnly(method.text) : ModernProtocol.isModernOnly(method.text)
    }

    /// A legacy upstream's log message during calls of a modern session: for the one that asked for some. Why not, if
    /// not.
    private mutating func logged(_ message: Message, to session: SessionID, by upstream: UpstreamID) -> String? {
        // A session that several clients may share is as good as one only while one of its requests is open.
        let isOne = sessions.read(session) { state in
            state.mayBeAsked || state.openRequests.count { !pending.isListen($0) } == 1
        }
        guard isOne == true, let request = onlyLogger(of: upstream), request.session == session else {
            droppedNotifications += 1
            return "dropped: not meant for one request without doubt"
        }
        if let text = message.string(.paramsLevel), let level = MCPLogLevel(rawValue: text),
            let wanted = request.logLevel,
            level < wanted
        {
            return "dropped: below the request's log level"
        }
        actions.append(.send(session, SplicedMessage(message.bytes), request.exchange))
        return nil
    }

    /// Everybody is told at once; what each of them sees is read again so that the next reload knows what changed.
    private mutating func toolsChanged(_ message: Message, at upstream: UpstreamID, _ now: Moment) {
        _ = tellListeners(message, of: upstream)
        for session in members(of: upstream) {
            sessions.update(session) { $0.toolsHash = nil }
            actions.append(.send(session, SplicedMessage(message.bytes), .session))
        }
        readTools(of: upstream, at: now)
    }

    /// Restores the client's progress token and restarts the request's deadline.
    mutating func progress(_ message: Message, by upstream: UpstreamID, at now: Moment) -> SessionID? {
        let range = message.scan[.paramsProgressToken]
        guard var id = request(answered: range, in: message.bytes, by: upstream), var request = pending[id] else {
            return nil
        }
        if request.stage == .held, let retry = request.successor, let next = pending[retry] {
            (id, request) = (retry, next)
        }
        guard request.stage == .forwarded || request.stage == .continuing, let session = request.session,
            let token = request.token
        else { return nil }
        if now.monotonic + request.timeout <= request.hardDeadline { pending.restart(id, now: now.monotonic) }
        var outgoing = SplicedMessage(message.bytes)
        outgoing.replace(range, with: token)
        actions.append(.send(session, outgoing, request.exchange))
        return session
    }

    private mutating func resourceUpdated(_ message: Message, by upstream: UpstreamID) -> String? {
        guard let uri = message.string(.paramsURI),
            let subscribers = upstreams.read(upstream, { $0.subscribers[ExactName(uri)] }) ?? nil
        else { return "dropped: nobody has subscribed" }
        for session in subscribers.sorted(by: { $0.index < $1.index })
        where sessions.read(session, { $0.era }) == .legacy {
            actions.append(.send(session, SplicedMessage(message.bytes), .session))
        }
        return nil
    }

    /// A log message names no session: it is delivered only when no doubt is left whose it is.
    private func onlyBusySession(of upstream: UpstreamID) -> SessionID? {
        upstreams.read(upstream) { state -> SessionID? in
            if case .own(let session) = state.role { return session }
            return state.busyCount == 1 && state.ghosts == 0 ? sessions.id(at: state.busySum) : nil
        } ?? nil
    }

    private func wants(_ message: Message, _ session: SessionID) -> Bool {
        guard let text = message.string(.paramsLevel), let level = MCPLogLevel(rawValue: text) else { return true }
        let wanted = sessions.read(session) { $0.level } ?? nil
        let isTurnedUp =
            (sessions.read(session) { $0.upstream } ?? nil)
            .flatMap { upstream in upstreams.read(upstream) { $0.level } ?? nil } != nil
        // Whoever asked for nothing gets what the server sends by itself, but not what others turned it up to.
        return level >= (wanted ?? (isTurnedUp ? .info : .debug))
    }

    /// The sessions that use an upstream and have been told so.
    func members(of upstream: UpstreamID) -> [SessionID] {
        if case .own(let id)? = upstreams.read(upstream, { $0.role }) {
            return sessions.read(id) { $0.upstream == upstream && $0.version != nil } == true ? [id] : []
        }
        return sessions.ids.filter { id in sessions.read(id) { $0.upstream == upstream && $0.version != nil } ?? false }
    }
}
