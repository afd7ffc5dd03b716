public import GatewayEvents
internal import JSONRPCWire
internal import ToolPolicy

extension Router {
    /// A client has connected. The caller keeps to `limits.max_sessions`. `mayBeAsked` is false for a session that several
    /// clients might share: it never gets a process for what it declares, and so is never asked anything.
    public mutating func open(_ identity: SessionIdentity, mayBeAsked: Bool = true) -> SessionID {
        let session = Session(identity: identity)
        session.mayBeAsked = mayBeAsked
        return sessions.insert(session)
    }

    /// A client's input has ended: what is in flight is still answered, then the session ends.
    public mutating func inputEnded(_ id: SessionID, at now: Moment) {
        sessions.update(id) { $0.inputEnded = true }
        abandonServerRequests(of: id, at: now)
        endListens(of: id, .connectionLost, at: now)
        endIfDone(id, at: now)
    }

    /// A client is gone, or has to go: what is in flight is cancelled.
    public mutating func end(_ id: SessionID, _ reason: CloseReason, at now: Moment) {
        guard sessions.contains(id) else { return }
        startRecord(of: id, at: now)
        abandonServerRequests(of: id, at: now)
        let open = sessions.read(id) { $0.openRequests } ?? []
        // In order of admission, which is the order in which a reader of the audit looks for them.
        for request in open.sorted(by: { pending.admission(of: $0) < pending.admission(of: $1) }) {
            abandon(request, reason == .shutdown ? .shuttingDown : .connectionLost, at: now)
        }
        giveUpHeld(of: id, reason == .shutdown ? .shuttingDown : .connectionLost, at: now)
        guard let session = sessions.read(id, { ($0.upstream, $0.working, Array($0.subscriptions)) }) else { return }
        if let upstream = session.0 {
            for uri in session.2 { unsubscribe(id, from: uri, on: upstream, at: now) }
            if session.1 > 0 {
                upstreams.update(upstream) {
                    $0.busyCount -= 1
                    $0.busySum -= id.index
                    $0.ghosts += session.1
                }
            }
        }
        guard let ended = sessions.remove(id) else { return }
        if ended.identity.sessionID != nil {
            record(.sessionEnd(reason: reason.rawValue), session: ended.identity, at: now)
        }
        actions.append(.close(id, reason))
        guard let upstream = ended.upstream else { return }
        if upstreams.read(upstream, { $0.role }) == .own(id) {
            retire(upstream, at: now)
        } else if !endUnusedShared(at: now) {
            adjustLevel(of: upstream, at: now)
        }
    }

    /// Ends a session whose input has ended when its last request is answered.
    mutating func endIfDone(_ id: SessionID, at now: Moment) {
        if sessions.read(id, { $0.inputEnded && $0.inFlight.isEmpty }) == true {
            end(id, .endOfInput, at: now)
        }
    }

    /// Whether nothing of a session is in flight, for the idle time-out.
    public func isIdle(_ id: SessionID) -> Bool {
        let isQuiet = sessions.read(id) { $0.inFlight.isEmpty && $0.serverRequests.isEmpty } ?? true
        return isQuiet && (heldCalls.isEmpty || !heldCalls.values.contains { $0.session == id })
    }

    /// Writes SESSION_START before the session's first other record.
    mutating func startRecord(of id: SessionID, note: String? = nil, at now: Moment) {
        let identity = sessions.update(id) { session -> SessionIdentity? in
            guard !session.isRecorded else { return nil }
            session.isRecorded = true
            // Modern HTTP has no sessions; its peers are named by their requests.
            return session.identity.sessionID == nil ? nil : session.identity
        }
        if let identity = identity ?? nil {
            record(.sessionStart(note: note), session: identity, at: now)
        }
    }

    /// Ends every session: what is in flight is answered with an error first.
    public mutating func shutDown(at now: Moment) {
        for request in pending.all(where: { $0.session != nil && $0.stage != .tombstone }) {
            if pending.isListen(request) {
                endListen(request, .shuttingDown, at: now)
            } else {
                fail(request, .shuttingDown, at: now)
            }
        }
        for id in sessions.ids { end(id, .shutdown, at: now) }
    }
}
