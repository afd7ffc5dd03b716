internal import ToolPolicy
internal import DequeModule
internal import EraTranslation
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire

/// Which of the shared processes a session belongs to: at most one per era, the second started when it is needed.
extension Router {
    /// Whether it is one of the two, or was asked to become one.
    func isShared(_ id: UpstreamID) -> Bool { id == shared || id == second }

    /// The shared process for a session of this era. Only where the upstream lacks the era is it one of the other, and
    /// the session is bridged.
    mutating func sharedProcess(for era: Era) -> UpstreamID {
        guard let first = upstreams.read(shared, { $0.era }) ?? nil, first != era, !verdict.lacks.contains(era) else {
            return shared
        }
        if let second { return second }
        let state = UpstreamState(role: .shared, opening: era.opening)
        let id = upstreams.insert(state)
        second = id
        actions.append(.log(.info("starting a process for sessions of the \(era.rawValue) era")))
        actions.append(.start(id, .shared))
        return id
    }

    /// The first shared process has said which era it speaks: sessions of the other one get theirs.
    mutating func sortSessions(at now: Moment) {
        let first = shared
        for session in sessions.ids where sessions.read(session, { $0.upstream == first }) == true {
            guard let era = sessions.read(session, { $0.era }) ?? nil else { continue }
            let process = sharedProcess(for: era)
            if process != first {
                reassign(session, from: first, to: process)
            } else if era == .modern, upstreams.read(first, { $0.era }) == .legacy,
                let introduction = sessions.read(session, { $0.introduction }) ?? nil, !introduction.features.isEmpty
            {
                takeOwnProcess(session, introduction, from: first)
            }
        }
        moveWaiting(of: first, otherwise: first)
        // What was sent before its session got a process of its own may find that ready already.
        for id in upstreams.ids
        where id != first && upstreams.read(id, { $0.phase == .ready && !$0.waiting.isEmpty }) == true {
            releaseWaiting(of: id, at: now)
        }
    }

    /// Whether it is the second process, and nobody has seen it speak its era yet.
    func isUnproved(second id: UpstreamID) -> Bool {
        id == second && upstreams.read(id) { $0.handshake == nil } == true
    }

    /// The upstream does not speak the era that a second process was asked for: its sessions are bridged.
    mutating func secondFailed(_ how: String, at now: Moment) {
        guard let id = second, let era = upstreams.read(shared, { $0.era?.other }) ?? nil else { return }
        actions.append(.log(.info("upstream \(how): it lacks the \(era.rawValue) era, whose sessions are bridged")))
        learn(about: shared) { $0.lacks.insert(era) }
        second = nil
        let moved = sessions.ids.filter { session in sessions.read(session, { $0.upstream == id }) == true }
        for session in moved { reassign(session, from: id, to: shared) }
        if upstreams.read(id, { $0.isSuccessor }) == true {
            announceTools(of: shared)
            announceLists(of: shared, to: Set(moved))
        }
        moveWaiting(of: id, otherwise: shared)
        recollect(shared)
        retire(id, at: now)
        if upstreams.read(shared, { $0.phase == .ready }) == true { releaseWaiting(of: shared, at: now) }
    }

    // MARK: - Moving

    /// A session gets another process. What the former one still does for it cannot be told from its new work by the
    /// session's own count. What waits is moved by ``moveWaiting(of:otherwise:)``.
    mutating func reassign(_ session: SessionID, from old: UpstreamID, to new: UpstreamID) {
        guard old != new else { return }
        let working = sessions.update(session) { state in
            defer { state.working = 0 }
            state.upstream = new
            return state.working
        }
        guard let working, working > 0 else { return }
        upstreams.update(old) {
            $0.busyCount -= 1
            $0.busySum -= session.index
            $0.ghosts += working
        }
    }

    /// Moves what waits for a process to those that its sessions have by now, in order; what belongs to a session
    /// without one goes to `otherwise`.
    mutating func moveWaiting(of old: UpstreamID, otherwise: UpstreamID) {
        let waiting = upstreams.update(old) { state in
            defer {
                state.waiting.removeAll()
                state.waitingBytes = 0
            }
            return state.waiting
        }
        for entry in waiting ?? [] {
            let new = (sessions.read(entry.session) { $0.upstream } ?? nil) ?? otherwise
            if new != old, let request = entry.content.request { move(request, to: new) }
            upstreams.update(new) {
                $0.waiting.append(entry)
                $0.waitingBytes += entry.byteCount
            }
        }
    }

    /// A request that still waits changes its upstream.
    mutating func move(_ number: PendingID, to id: UpstreamID) {
        guard let request = pending[number], request.upstream != id else { return }
        let listens = request.isListen ? 1 : 0
        upstreams.update(request.upstream) {
            $0.inFlight -= 1
            $0.listens -= listens
        }
        upstreams.update(id) {
            $0.inFlight += 1
            $0.listens += listens
        }
        request.upstream = id
    }

    /// Gathers what the sessions of a process want of it: the log level and the subscriptions. A process that is about
    /// to take over gathers them from the one that it will replace.
    mutating func recollect(_ id: UpstreamID, from current: UpstreamID? = nil) {
        var level: MCPLogLevel?
        var subscribers: [ExactName: Set<SessionID>] = [:]
        for session in sessions.ids {
            sessions.read(session) { state in
                guard state.upstream == current ?? id else { return }
                if let wanted = state.level { level = min(level ?? wanted, wanted) }
                for uri in state.subscriptions { subscribers[uri, default: []].insert(session) }
            }
        }
        let last = upstreams.read(current ?? id) { $0.level } ?? nil
        upstreams.update(id) {
            // With nobody left who asked, the last level stays: servers have no way back to their default.
            $0.level = level ?? last
            $0.subscribers = subscribers
        }
    }
}
