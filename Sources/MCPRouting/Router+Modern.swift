internal import EraTranslation
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import OutputSanitizer
internal import ToolPolicy

/// Requests of the modern era, revision 2026-07-28: each carries its own envelope, and there is no handshake.
extension Router {
    /// A request with an envelope, or one of a session whose first message had one.
    mutating func routeModern(_ incoming: Incoming, _ phase: Session.Phase, at now: Moment) {
        switch phase {
        case .initializing, .ready:
            return fail(
                incoming, code: -32600,
                "this session began with initialize: requests with the envelope of revision 2026-07-28 are not taken",
                at: now)
        case .fresh, .modern: break
        }
        guard isEnvelopeSound(incoming, at: now) else { return }
        switch incoming.method.known {
        case .discover:
            // No choice of an era: whoever probes may still say `initialize`.
            discover(incoming, at: now)
        case .initialize, .ping, .setLevel, .subscribe, .unsubscribe:
            // Removed in 2026-07-28 (changelog). With an envelope `initialize` opens no session of the other era: over
            // HTTP others may share this one.
            fail(incoming, code: -32601, "method not found: \(incoming.method.text)", at: now)
        case .listen:
            guard chooseModern(incoming, at: now) else { return }
            listen(incoming, at: now)
        default:
            guard chooseModern(incoming, at: now) else { return }
            forward(incoming, effect: .none, at: now)
        }
    }

    /// The session's first message: decides which upstream is its. False when it was refused.
    private mutating func chooseModern(_ incoming: Incoming, at now: Moment) -> Bool {
        let session = incoming.session
        guard sessions.read(session, { $0.upstream == nil }) == true else {
            getOwnProcess(session, for: incoming.message)
            return true
        }
        let introduction = Introduction(of: incoming.message)
        let upstream: UpstreamID
        if snapshot.isDedicated {
            let limit = snapshot.settings.upstream.maxDedicated
            guard hasRoom else {
                fail(incoming, .noProcessLeft(limit), at: now)
                return false
            }
            upstream = startOwnUpstream(
                for: session, opening: verdict.lacks.contains(.modern) ? .initialize : .discover,
                initializeParams: introduction.initializeParams)
        } else {
            upstream = sharedProcess(for: .modern)
        }
        sessions.update(session) {
            $0.phase = .modern
            $0.upstream = upstream
            $0.introduction = introduction
        }
        getOwnProcess(session, for: incoming.message)
        return true
    }

    /// A legacy upstream may only ask a client in a process that was told of its capabilities: a session that declares
    /// any gets one, as a legacy session does, when it first does so.
    private mutating func getOwnProcess(_ session: SessionID, for message: Message) {
        guard let upstream = sessions.read(session, { $0.upstream }) ?? nil, isShared(upstream),
            (upstreams.read(upstream) { $0.era } ?? nil) == .legacy,
            ClientFeatures(message.scan[.metaClientCapabilities], in: message.bytes) != []
        else { return }
        takeOwnProcess(session, Introduction(of: message), from: upstream)
    }

    /// Gives a modern session a legacy process of its own; beyond `max_dedicated` it stays where it is, and is not
    /// asked.
    mutating func takeOwnProcess(_ session: SessionID, _ introduction: Introduction, from shared: UpstreamID) {
        guard sessions.read(session, { $0.mayBeAsked }) == true else { return }
        let limit = snapshot.settings.upstream.maxDedicated
        guard hasRoom else {
            return actions.append(
                .log(.warning("a client's capabilities are withheld from the upstream: max_dedicated is \(limit)")))
        }
        let own = startOwnUpstream(
            for: session, opening: .initialize, initializeParams: introduction.initializeParams)
        sessions.update(session) { $0.introduction = introduction }
        reassign(session, from: shared, to: own)
        for id in sessions.read(session, { $0.openRequests }) ?? [] where pending.isListen(id) {
            if pending[id]?.stage == .forwarded { move(id, to: own) }
        }
        recollect(own)
        recollect(shared)
    }

    /// Checks what every request must carry; answers it when it does not (basic/index, "Per-request protocol fields").
    private mutating func isEnvelopeSound(_ incoming: Incoming, at now: Moment) -> Bool {
        let message = incoming.message
        guard JSONText.equals(message.scan[.metaProtocolVersion], "2026-07-28", in: message.bytes) else {
            if let revision = message.string(.metaProtocolVersion) {
                failUnsupported(incoming, requested: revision, at: now)
            } else {
                fail(incoming, code: -32602, "params._meta without io.modelcontextprotocol/protocolVersion", at: now)
            }
            return false
        }
        let capabilities = message.scan[.metaClientCapabilities]
        guard capabilities.isPresent, JSONText.kind(of: capabilities, in: message.bytes) == .object else {
            fail(incoming, code: -32602, "params._meta without io.modelcontextprotocol/clientCapabilities", at: now)
            return false
        }
        return true
    }

    /// `initialize` in a session of the modern era.
    mutating func refuseHandshake(_ incoming: Incoming, at now: Moment) {
        failUnsupported(incoming, requested: incoming.message.string(.paramsProtocolVersion) ?? "", at: now)
    }

    /// UnsupportedProtocolVersionError, which names what is spoken.
    private mutating func failUnsupported(_ incoming: Incoming, requested: String, at now: Moment) {
        let isHandshake = incoming.method.known == .initialize
        let text =
            isHandshake
            ? "this session speaks protocol revision \(ProtocolVersion.modern.text): initialize is not taken"
            : "unsupported protocol version"
        let data = ProtocolError.unsupportedVersion(requested, supported: [ModernProtocol.version]).data
        let error = ProtocolError(code: -32022, message: text, data: data)
        record(
            .response(
                incoming.call,
                AuditEvent.Outcome(
                    duration: 0, failure: AuditEvent.Failure(code: error.code, message: error.message))),
            session: incoming.identity, at: now)
        deliver(
            SplicedMessage(error.reply(to: incoming.id)), to: incoming.session, batch: incoming.batch,
            exchange: incoming.exchange)
    }

    /// Names the session after the `clientInfo` of an envelope. Clients send the same one each time.
    mutating func name(_ session: SessionID, by message: Message) -> SessionIdentity {
        let info = message.scan[.metaClientInfo]
        // The caller has just seen the session.
        return sessions.update(session) { state -> SessionIdentity in
            guard info.isPresent, state.era != .legacy, let bytes = message.slice(.metaClientInfo) else {
                return state.identity
            }
            if state.clientInfo != bytes {
                let isKept = bytes.readableBytes <= Introduction.longest
                state.clientInfo = isKept ? ByteBuffer(bytes: bytes.readableBytesView) : nil
                state.identity = state.identity.naming(info, of: message)
            }
            return state.identity
        }!
    }

    // MARK: - server/discover

    /// Answered from what the upstream has said of itself, at once. While it starts there is nothing to say yet: then
    /// for at most ``discoverPatience``.
    private mutating func discover(_ incoming: Incoming, at now: Moment) {
        let upstream = (sessions.read(incoming.session) { $0.upstream } ?? nil) ?? shared
        if let handshake = known(for: upstream) {
            return answer(incoming, discoverReply(handshake, to: incoming.id), at: now)
        }
        if case .failed(let detail)? = upstreams.read(upstream, { $0.phase }) {
            return fail(incoming, .upstreamUnavailable(detail), at: now)
        }
        let limit = snapshot.settings.limits.maxPendingPerSession
        let open = sessions.read(incoming.session) { $0.openCount } ?? 0
        guard open < limit, !pending.isFullForClients else {
            return fail(incoming, .overloaded("max_pending_per_session is \(limit)"), at: now)
        }
        let id = insert(incoming, upstream: upstream, token: nil, effect: .discover, at: now)
        waitingDiscovers.append((id, now.monotonic + Self.discoverPatience))
        dispatch(.discover(id), of: incoming.session, to: upstream, at: now)
    }

    /// How long a probe waits for the first handshake. Clients take silence for a legacy server after some seconds (the
    /// Python SDK after ten), and most servers start faster than this.
    static var discoverPatience: UInt64 { 5_000_000_000 }

    /// An upstream that starts slowly, as with a first `npx` run, keeps no probe waiting: the gateway speaks for itself.
    mutating func answerDueDiscovers(at now: Moment) {
        while let (id, due) = waitingDiscovers.first, due <= now.monotonic || !pending.contains(id) {
            waitingDiscovers.removeFirst()
            guard let request = pending[id], request.stage == .waiting else { continue }
            conclude(request, nil, result: nil, at: now)
            remove(id, at: now)
            deliver(Reply.result(id: request.id, ownDiscoverResult), to: request, at: now)
        }
    }

    /// What is known of the server in front of which a session stands, the modern era's answer first.
    private func known(for upstream: UpstreamID) -> Handshake? {
        let own = upstreams.read(upstream) { $0.handshake } ?? nil
        if own?.version.era == .modern { return own }
        return proven[.modern] ?? own ?? proven[.legacy]
    }

    /// A discover that waited for the first handshake.
    mutating func answerDiscover(_ id: PendingID, by upstream: UpstreamID, at now: Moment) {
        guard let request = pending[id], let handshake = known(for: upstream) else { return }
        conclude(request, nil, result: nil, at: now)
        remove(id, at: now)
        deliver(discoverReply(handshake, to: request.id), to: request, at: now)
    }

    // MARK: - From upstreams

    /// A notification of a modern upstream: it belongs to a request in flight or to a subscription.
    mutating func modernNotified(_ message: Message, _ method: MethodName, by upstream: UpstreamID, at now: Moment) {
        var note: String?
        guard let message = reviewed(message, method, &note, at: now) else { return }
        var receiver: SessionID?
        switch method.known {
        case .progress:
            receiver = progress(message, by: upstream, at: now)
            if receiver == nil { note = "dropped: for no request in flight" }
        case .cancelled:
            receiver = listenCancelled(message, by: upstream, at: now)
            if receiver == nil { note = "dropped: for no subscription" }
        case _ where message.scan[.metaSubscriptionID].isPresent:
            let own = request(answered: message.scan[.metaSubscriptionID], in: message.bytes, by: upstream)
            if let own, case .own(.listen)? = pending.standing(of: own) {
                ownSubscriptionNotified(message, method, by: upstream, at: now)
                break
            }
            receiver = subscriptionNotified(message, method, by: upstream)
            if receiver == nil { note = "dropped: for no subscription" }
        case .toolsChanged, .promptsChanged, .resourcesChanged, .resourceUpdated, .acknowledged:
            note = "dropped: names no subscription"
        default:
            if let request = onlyLogger(of: upstream), let session = request.session {
                receiver = session
                // A legacy client's log messages belong to its session.
                let exchange = request.era == .modern ? request.exchange : .session
                actions.append(.send(session, SplicedMessage(message.bytes), exchange))
            } else {
                droppedNotifications += 1
                note = "dropped: not meant for one request without doubt"
            }
        }
        recordNotification(method, to: receiver, note, at: now)
    }

    /// A task that is told of may hold a tool's result: policies see that as they see any other. Nil when one refused it,
    /// which is recorded.
    private mutating func reviewed(
        _ message: Message, _ method: MethodName, _ note: inout String?, at now: Moment
    ) -> Message? {
        // One comparison for all others, which no policy looks at.
        guard method.known == nil, snapshot.policies.reviewsResults(of: method.text) else { return message }
        switch snapshot.policies.review(message, of: method.text) {
        case .deliver(let reviewed, let changes):
            for case (_, .sanitized(let removed)) in changes {
                sanitizedResponses += 1
                sanitized.add(removed)
                note =
                    "sanitized: invisible \(removed.invisible), markup \(removed.markup), "
                    + "code_fences \(removed.codeFences)"
            }
            return reviewed
        case .refused(let refusal):
            recordNotification(method, to: nil, "dropped: \(refusal.reason)", at: now)
            return nil
        }
    }

    /// A log message on stdio names no request: it is delivered only when no doubt is left whose it is.
    func onlyLogger(of upstream: UpstreamID) -> Pending? {
        guard let loggers = upstreams.read(upstream, { $0.loggers }) else { return nil }
        var found: Pending?
        for id in loggers {
            guard let request = pending[id], request.stage == .forwarded else { return nil }
            // A legacy session has one way for log messages, a modern one has one for each of its exchanges.
            if let other = found {
                guard other.session == request.session else { return nil }
                guard request.era == .legacy || other.exchange == request.exchange else { return nil }
            }
            found = request
        }
        return found
    }
}
