internal import GatewayConfiguration
internal import GatewayEvents
public import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

extension Router {
    /// A client's `initialize`: says who it is, decides which upstream is its, and waits for that upstream's handshake.
    mutating func initialize(_ incoming: Incoming, plugin: String?, at now: Moment) {
        let message = incoming.message
        guard let phase = sessions.read(incoming.session, { $0.phase }) else { return }
        guard phase == .fresh else {
            record(.request(incoming.call, plugin: plugin), session: incoming.identity, at: now)
            if phase == .modern { return refuseHandshake(incoming, at: now) }
            return fail(incoming, code: -32600, "session is already initialized", at: now)
        }
        guard let offer = message.string(.paramsProtocolVersion) else {
            startRecord(of: incoming.session, at: now)
            record(.request(incoming.call, plugin: plugin), session: incoming.identity, at: now)
            return fail(incoming, code: -32602, "initialize without params.protocolVersion", at: now)
        }
        let identity = incoming.identity.naming(clientOf: message)
        let declared = Self.declaredCapabilities(of: message)
        let limit = snapshot.settings.upstream.maxDedicated
        var upstream: UpstreamID?
        var note: String?
        let wantsOwn = wantsOwn(declaring: declared)
        if wantsOwn, hasRoom {
            let isModernOnly = verdict.lacks.contains(.legacy)
            upstream = startOwnUpstream(
                for: incoming.session, opening: isModernOnly ? .discover : .initialize,
                initializeParams: message.slice(.params))
        } else if snapshot.isDedicated {
            note = "no upstream process: max_dedicated is \(limit)"
        } else {
            upstream = sharedProcess(for: .legacy)
            if wantsOwn {
                note = "withheld \(declared.joined(separator: ", ")): max_dedicated is \(limit)"
            }
        }
        sessions.update(incoming.session) {
            $0.identity = identity
            $0.phase = upstream == nil ? .fresh : .initializing
            $0.upstream = upstream
            $0.introduction = Introduction(of: message)
        }
        startRecord(of: incoming.session, note: note, at: now)
        record(.request(incoming.call, plugin: plugin), session: identity, at: now)
        let named = Incoming(
            session: incoming.session, identity: identity, message: message, id: incoming.id, key: incoming.key,
            method: incoming.method, call: incoming.call, batch: incoming.batch,
            exchange: incoming.exchange)
        // The client may try again when another session has ended.
        guard let upstream else { return fail(named, .noProcessLeft(limit), at: now) }
        if case .failed(let detail)? = upstreams.read(upstream, { $0.phase }) {
            resetInitialize(of: incoming.session, at: now)
            return fail(named, .upstreamUnavailable(detail), at: now)
        }
        let id = insert(named, upstream: upstream, token: nil, effect: .initialize(offer: offer), at: now)
        dispatch(.initialize(id), of: incoming.session, to: upstream, at: now)
    }

    /// A modern upstream asks nothing on its own, so nobody needs a process of his own in front of it.
    private func wantsOwn(declaring capabilities: [String]) -> Bool {
        snapshot.isDedicated || !capabilities.isEmpty && !verdict.lacks.contains(.legacy)
    }

    /// Whether a message is an `initialize` for which a session would get a process of its own.
    public func wantsProcess(_ message: Message, for session: SessionID) -> Bool {
        guard message.scan.kind == .request, JSONText.equals(message.scan[.method], "initialize", in: message.bytes),
            !message.hasEnvelope, message.string(.paramsProtocolVersion) != nil,
            sessions.read(session, { $0.phase == .fresh }) == true
        else { return false }
        return wantsOwn(declaring: Self.declaredCapabilities(of: message))
    }

    /// Answers a client's `initialize` from the upstream's own answer.
    mutating func answerInitialize(_ id: PendingID, at now: Moment) {
        guard let request = pending[id], let session = request.session,
            case .initialize(let offer) = request.effect,
            let handshake = upstreams.read(request.upstream, { $0.handshake }) ?? nil
        else { return }
        // A process of its own was asked with the client's own offer, so its answer is the client's.
        let isOwn = upstreams.read(request.upstream) { $0.role } == .own(session)
        let isBridged = handshake.version.era == .modern
        let spoken = isBridged ? .newestLegacy : handshake.version
        let version = isOwn && !isBridged ? spoken : ProtocolVersion.told(offer: offer, upstream: spoken)
        let policies = snapshot.policies
        let hash = upstreams.read(request.upstream) { $0.catalog.visibleHash(under: policies) } ?? nil
        sessions.update(session) {
            $0.phase = .ready(version)
            $0.toolsHash = hash
        }
        conclude(request, nil, result: nil, at: now)
        remove(id, at: now)
        let reply = initializeReply(
            handshake, to: request.id, telling: version, isShared: isShared(request.upstream))
        deliver(reply, to: request, at: now)
    }

    /// The client may try again with another `initialize`.
    mutating func resetInitialize(of session: SessionID, at now: Moment) {
        let upstream = sessions.update(session) { state -> UpstreamID? in
            guard state.version == nil else { return nil }
            state.phase = .fresh
            defer { state.upstream = nil }
            return state.upstream
        }
        guard let upstream = upstream ?? nil else { return }
        // What was sent behind it has nothing to wait for any more.
        let behind = sessions.read(session) { $0.openRequests } ?? []
        for request in behind { fail(request, .upstreamUnavailable("initialize failed"), at: now) }
        if upstreams.read(upstream, { $0.role }) == .own(session) { retire(upstream, at: now) }
    }

    mutating func startOwnUpstream(
        for session: SessionID, opening: UpstreamState.Opening, initializeParams: ByteBuffer?
    ) -> UpstreamID {
        let state = UpstreamState(role: .own(session), opening: opening)
        state.initializeParams = initializeParams
        ownUpstreams += 1
        let id = upstreams.insert(state)
        if ownUpstreams <= mostOwnUpstreams {
            actions.append(.start(id, .own(session)))
        } else {
            postponedStarts.append(id)
        }
        return id
    }

    /// The capabilities by which a server may ask the client something.
    private static func declaredCapabilities(of message: Message) -> [String] {
        let capabilities = message.scan[.paramsCapabilities]
        guard capabilities.isPresent, JSONText.kind(of: capabilities, in: message.bytes) == .object else { return [] }
        return ["sampling", "elicitation", "roots"].filter {
            let value = JSONText.member($0, of: capabilities, in: message.bytes)
            return value.isPresent && JSONText.kind(of: value, in: message.bytes) != .null
        }
    }
}

extension SessionIdentity {
    /// The same peer, with the name that its `initialize` gives.
    func naming(clientOf message: Message) -> SessionIdentity {
        naming(message.scan[.paramsClientInfo], of: message)
    }

    /// The same peer, with the name that a `clientInfo` gives.
    func naming(_ info: ByteRange, of message: Message) -> SessionIdentity {
        guard info.isPresent, JSONText.kind(of: info, in: message.bytes) == .object else { return self }
        func text(_ name: String) -> String? {
            let range = JSONText.member(name, of: info, in: message.bytes)
            // Kept for as long as the session lives; no log prints more of it.
            return range.isPresent ? JSONText.string(range, in: message.bytes).map { String($0.prefix(256)) } : nil
        }
        return SessionIdentity(
            sessionID: sessionID, transport: transport, peer: peer, clientName: text("name"),
            clientVersion: text("version"))
    }
}
