internal import EraTranslation
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore

/// Finding out which era an upstream speaks, and opening the conversation in it.
///
/// The rules are those of the specification's transports/stdio, "Backward Compatibility": a discover result or -32022
/// shows a modern server, any other answer a legacy one. Silence shows nothing, since a first `npx` run downloads for a
/// minute: then a second process is told `initialize` and the first to answer stays.
extension Router {
    /// How long a probe may be silent before it gets a rival.
    static var probePatience: UInt64 { 3_000_000_000 }

    /// How long a process may be silent that is asked for an era which nobody has seen of its command, while another of
    /// its processes serves the other one.
    static var openingPatience: UInt64 { 10_000_000_000 }

    /// Sends a process that was just started its first message.
    mutating func open(_ id: UpstreamID, at now: Moment) {
        guard let (opening, params) = upstreams.read(id, { ($0.opening, $0.initializeParams) }) else { return }
        let request =
            switch opening {
            case .probe, .discover:
                ask(.discover, of: id, MCPMethod.discover.rawValue, ownEnvelope(), at: now)
            case .initialize:
                ask(.initialize, of: id, MCPMethod.initialize.rawValue, params ?? ownInitializeParams, at: now)
            }
        let patience = min(Self.openingPatience, snapshot.settings.timeouts.connection.nanoseconds / 2)
        upstreams.update(id) {
            $0.phase = .handshaking
            $0.openedWith = request
            // With a rival already there, both wait.
            $0.rivalDue = opening == .probe && $0.rival == nil ? now.monotonic + Self.probePatience : nil
            $0.silenceDue = opening == .probe ? nil : now.monotonic + patience
        }
    }

    // MARK: - Answers

    /// The answer to `server/discover`.
    mutating func discovered(_ message: Message, by id: UpstreamID, at now: Moment) {
        if let handshake = Handshake(discovered: message) { return opened(id, handshake, at: now) }
        if let offered = modernOffer(in: message), !offered.isEmpty,
            !offered.contains(where: { ProtocolVersion.legacy.contains($0) || $0 == ProtocolVersion.modern.text })
        {
            // It is modern, and no fallback helps: a later revision than any that we know.
            return handshakeFailed(
                id, "speaks only protocol revisions that the gateway does not: \(Self.listing(offered))", at: now)
        }
        let answer =
            switch (message.scan.kind, JSONText.integer(message.scan[.errorCode], in: message.bytes)) {
            case (.error, let code?): "error \(code)"
            case (.error, nil): "an error"
            default: "no discover result"
            }
        if message.scan.kind == .result {
            record(
                .invalidMessage(
                    direction: .fromUpstream, reason: "no discover result", offset: 0,
                    length: message.bytes.readableBytes),
                session: session(of: id), at: now)
        }
        guard upstreams.read(id, { $0.opening }) == .probe else {
            return notModern(id, "answered with \(answer)", at: now)
        }
        actions.append(.log(.info("upstream answered server/discover with \(answer): it speaks the legacy era")))
        learn(about: id) { $0.lacks.insert(.modern) }
        fallBack(id, at: now)
    }

    /// The answer to `initialize`.
    mutating func initialized(_ message: Message, by id: UpstreamID, at now: Moment) {
        if message.scan.kind == .result, let handshake = Handshake(initialized: message) {
            guard ProtocolVersion.legacy.contains(handshake.version.text) else {
                return handshakeFailed(id, "answered initialize with an unknown protocol revision", at: now)
            }
            return opened(id, handshake, at: now)
        }
        guard message.scan.kind == .error else {
            return handshakeFailed(id, "answered initialize with a malformed result", at: now)
        }
        if isUnproved(second: id) { return secondFailed("answered initialize with an error", at: now) }
        if isModernOnly(message, id), foundModernOnly(id, at: now) { return }
        if awaitsProof(id) { return upstreams.update(id) { $0.refusal = message } ?? () }
        if passRefusal(message, by: id, at: now) { return }
        // What was known of the command is not true any more, or never was.
        if question(of: id).setting == .auto { forgetEra(of: id) }
        let reason = message.string(.errorMessage).map { "answered initialize with an error: \($0.prefix(200))" }
        let remedy =
            question(of: id).setting == .legacy
            ? "; if it speaks only the modern era, set proxy.upstream.era to auto" : ""
        handshakeFailed(id, (reason ?? "answered initialize with an error") + remedy, at: now)
    }

    /// The handshake is done: what was set up before is set up again, and then the waiting requests are released.
    private mutating func opened(_ id: UpstreamID, _ handshake: Handshake, at now: Moment) {
        let era = handshake.version.era
        if let rival = upstreams.read(id, { $0.rival }) ?? nil {
            // A silent probe lost against `initialize`; the other way round nothing is known of the other era.
            if era == .legacy { learn(about: id) { $0.lacks.insert(.modern) } }
            actions.append(.log(.info("upstream answered \(era == .legacy ? "initialize" : "server/discover") first")))
            promote(id, over: rival, at: now)
        }
        upstreams.update(id) {
            $0.handshake = handshake
            $0.phase = .ready
            $0.opening = era.opening
            if id != nextShared { $0.handshakeDeadline = nil }
            $0.rivalDue = nil
            $0.lastRefusal = nil
        }
        if id == shared || id == nextShared { learn(about: id) { $0.first = era } }
        if id == shared || id == second { proven[era] = handshake }
        if era == .legacy { actions.append(.forward(id, Reply.notification(MCPMethod.initialized.rawValue))) }
        // What its sessions want by now, not when it was started.
        if id == nextShared { recollect(id, from: shared) }
        if id == second { recollect(id) }
        if id == shared { sortSessions(at: now) }
        if id == shared { settleOwnOpenings(era, at: now) }
        if id != nextShared, id != second { actions.append(.upstreamReady(id)) }
        restore(id, at: now)
        if handshake.hasTools { readTools(of: id, at: now) }
        if id == shared {
            // Where it only proves its command, nothing waits for it but probes, which are not to end with it.
            if snapshot.isDedicated { releaseWaiting(of: id, at: now) }
            if endUnusedShared(at: now) { return }
        }
        if id == nextShared { return swapWhenRead(id) }
        if upstreams.update(
            id,
            { state in
                defer { state.isSuccessor = false }; return state.isSuccessor
            }) == true
        {
            announceLists(of: id)
            announceMovedListens(of: id)
        }
        releaseWaiting(of: id, at: now)
    }

    /// A process ended before it answered its first message.
    mutating func exitedWhileOpening(_ id: UpstreamID, at now: Moment) {
        guard upstreams.read(id, { $0.handshake == nil }) == true else { return }
        if id == second {
            guard exitsAgain(id) else { return }
            return secondFailed("exited when it was asked", at: now)
        }
        if case .own? = upstreams.read(id, { $0.role }) { return ownExitedWhileOpening(id, at: now) }
        guard upstreams.read(id, { $0.opening }) == .probe else { return }
        if let rival = upstreams.read(id, { $0.rival }) ?? nil { return promote(rival, over: id, at: now) }
        actions.append(.log(.info("upstream exited upon server/discover: its next process is told initialize")))
        upstreams.update(id) {
            $0.opening = .initialize
            $0.rivalDue = nil
        }
    }

    /// An answer that nobody waits for, when it may be one to a first message: the operator sees what a server does
    /// that answers late or twice.
    func strayAnswer(_ message: Message, by id: UpstreamID) -> LogNote? {
        let number = message.scan[.id].isPresent ? JSONText.integer(message.scan[.id], in: message.bytes) : nil
        guard let number, number > 0 else { return nil }
        let request = PendingID(number: UInt64(number))
        if lostOpenings.contains(request) {
            return .info("ignored a late answer of an upstream process that was given up")
        }
        guard (upstreams.read(id) { $0.openedWith } ?? nil) == request else { return nil }
        return .warning("ignored a second answer of the upstream to its first message")
    }

    // MARK: - The other process of a probe

    /// The probe is silent: a second process is told `initialize`, the first is kept.
    mutating func startRival(of id: UpstreamID, at now: Moment) {
        guard upstreams.read(id, { $0.rival == nil }) == true else { return }
        actions.append(
            .log(.info("upstream has not answered server/discover yet: asking a second process with initialize")))
        pair(id)
    }

    /// The probe has shown a legacy server. A fresh process is always right: some lock themselves to their first
    /// message.
    private mutating func fallBack(_ id: UpstreamID, at now: Moment) {
        if (upstreams.read(id) { $0.rival } ?? nil) == nil { pair(id) }
        guard let rival = upstreams.read(id, { $0.rival }) ?? nil else { return }
        promote(rival, over: id, at: now)
    }

    /// An answer to the probe that cannot be read is no discover result.
    mutating func probeSpoilt(_ id: UpstreamID, _ reason: String, at now: Moment) {
        actions.append(.log(.warning("upstream's answer to server/discover cannot be used: \(reason)")))
        learn(about: id) { $0.lacks.insert(.modern) }
        fallBack(id, at: now)
    }

    private mutating func pair(_ id: UpstreamID) {
        let state = UpstreamState(role: .shared, opening: .initialize)
        state.handshakeDeadline = upstreams.read(id) { $0.handshakeDeadline } ?? nil
        state.rival = id
        let rival = upstreams.insert(state)
        upstreams.update(id) {
            $0.rival = rival
            $0.rivalDue = nil
        }
        actions.append(.start(rival, .shared))
    }

    /// One of the two stays: it takes the other's place, and the other ends.
    private mutating func promote(_ winner: UpstreamID, over loser: UpstreamID, at now: Moment) {
        part(winner, loser)
        if shared == loser { shared = winner }
        if nextShared == loser { nextShared = winner }
        for session in sessions.ids where sessions.read(session, { $0.upstream == loser }) == true {
            reassign(session, from: loser, to: winner)
        }
        moveWaiting(of: loser, otherwise: winner)
        recollect(winner)
        retire(loser, at: now)
    }

    mutating func part(_ one: UpstreamID, _ other: UpstreamID) {
        upstreams.update(one) { $0.rival = nil }
        upstreams.update(other) { $0.rival = nil }
    }

    /// One of a pair cannot go on; the other does. False for one that is alone.
    mutating func rivalFailed(_ id: UpstreamID, at now: Moment) -> Bool {
        guard let rival = upstreams.read(id, { $0.rival }) ?? nil else { return false }
        if id == shared || id == nextShared {
            promote(rival, over: id, at: now)
        } else {
            part(id, rival)
            retire(id, at: now)
        }
        return true
    }

    /// Whether it is the second process of a probe.
    public func isRival(_ id: UpstreamID) -> Bool {
        id != shared && id != nextShared && upstreams.read(id) { $0.rival != nil } == true
    }

    // MARK: - What the gateway says of itself

    /// Who the gateway is, as both eras' `Implementation` object.
    var ownInfo: ByteBuffer {
        var info = ByteBuffer(string: #"{"name":"gatekit","version":"#)
        JSONText.appendQuoted(version, to: &info)
        info.writeString("}")
        return info
    }

    /// The shared process is told of no capabilities: a server request on stdio names no call.
    private var ownInitializeParams: ByteBuffer {
        var params = ByteBuffer(string: #"{"protocolVersion":"\#(ProtocolVersion.newestLegacy.text)","#)
        params.writeString(#""capabilities":{},"clientInfo":"#)
        params.writeImmutableBuffer(ownInfo)
        params.writeString("}")
        return params
    }

    /// For an upstream that has not said anything of itself: whatever it may have can be asked for, and what it lacks it
    /// will refuse. Good for no time, so that a client that looks again reads the upstream's own.
    var ownDiscoverResult: ByteBuffer {
        var result = ByteBuffer(
            string: #"{"resultType":"complete","supportedVersions":["\#(ProtocolVersion.modern.text)"],"#)
        result.writeString(#""capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":true},"#)
        result.writeString(#""resources":{"listChanged":true,"subscribe":true},"completions":{},"logging":{}},"#)
        result.writeString(#""_meta":{"io.modelcontextprotocol/serverInfo":"#)
        result.writeImmutableBuffer(ownInfo)
        result.writeString(#"},"ttlMs":0,"cacheScope":"private"}"#)
        return result
    }

    /// `params` of a request of the gateway's own in the modern era, with further members.
    func ownEnvelope(_ members: ByteBuffer = ByteBuffer()) -> ByteBuffer {
        OutgoingEnvelope(
            version: ModernProtocol.version, capabilities: ByteBuffer(string: "{}"), clientInfo: ownInfo
        ).params(members)
    }
}
