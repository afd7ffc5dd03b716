internal import DequeModule
internal import GatewayConfiguration
public import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

extension Router {
    // MARK: - Replacing the shared upstream

    /// A reload changes the upstream's command or environment: starts the next process, which the sessions do not see
    /// yet. ``Action/swapReady(_:)`` says that it has shaken hands, ``Action/swapFailed(_:)`` that it could not within
    /// the `connection_timeout` of `next`.
    public mutating func replaceShared(for next: Snapshot, at now: Moment) {
        if let unfinished = nextShared { retire(unfinished, at: now) }
        let question = EraQuestion(next.settings.upstream)
        let state = UpstreamState(role: .shared, opening: (verdicts[question] ?? EraVerdict(question.setting)).opening)
        state.handshakeDeadline = now.monotonic + next.settings.timeouts.connection.nanoseconds
        let id = upstreams.insert(state)
        nextShared = id
        nextQuestion = question
        actions.append(.start(id, .shared))
    }

    /// Whether a process has to shake hands before `next` can be in force although nothing of the launch has changed:
    /// its sessions would share one, and there is none.
    public func needsShared(for next: Snapshot) -> Bool {
        !next.isDedicated && !upstreams.contains(shared)
    }

    /// Ends the shared process where sessions are dedicated and none of an earlier configuration uses it. Whether it
    /// did.
    @discardableResult
    mutating func endUnusedShared(at now: Moment) -> Bool {
        guard snapshot.isDedicated else { return false }
        if let unused = second, !isUsed(unused) {
            second = nil
            retire(unused, at: now)
        }
        // Until something was proved, it still has to prove that the upstream can be started, and show its tools.
        guard upstreams.read(shared, { $0.catalog.reading == nil }) == true, !proven.isEmpty, !isUsed(shared) else {
            return false
        }
        retire(shared, at: now)
        return true
    }

    private func isUsed(_ upstream: UpstreamID) -> Bool {
        sessions.ids.contains { id in sessions.read(id) { $0.upstream == upstream } == true }
    }

    /// How many sessions keep a process of the kind that new sessions do not get: they began before a reload changed
    /// `sessions`.
    public var sessionsOfTheOtherKind: Int {
        sessions.ids.count { id in
            guard let upstream = sessions.read(id, { $0.upstream }) ?? nil else { return false }
            return isShared(upstream) == snapshot.isDedicated
        }
    }

    /// Whether an upstream is the one that will take over.
    public func isNextShared(_ id: UpstreamID) -> Bool {
        guard let next = nextShared else { return false }
        return id == next || (upstreams.read(id) { $0.rival } ?? nil) == next
    }

    /// The next shared upstream has shaken hands: it takes over once its tools were read, for a call that names one of
    /// them is checked against their schemas.
    mutating func swapWhenRead(_ id: UpstreamID) {
        guard upstreams.read(id, { $0.phase == .ready && $0.catalog.reading == nil }) == true else { return }
        actions.append(.swapReady(id))
    }

    /// Lets the next shared upstream take over, after ``Action/swapReady(_:)``: sessions move, what waits goes to it,
    /// and the former one ends when its calls have, at most `request_timeout` later.
    public mutating func completeSwap(at now: Moment) {
        guard let id = nextShared, upstreams.read(id, { $0.phase == .ready }) == true else { return }
        let former = [shared, second].compactMap { $0 }
        shared = id
        second = nil
        nextShared = nil
        if let next = nextQuestion { question = next }
        proven = [:]
        knownHeaders = upstreams.read(id) { $0.catalog.headers } ?? [:]
        if let handshake = upstreams.read(id, { $0.handshake }) ?? nil { proven[handshake.version.era] = handshake }
        // One generation of processes drains at a time.
        for draining in upstreams.ids
        where upstreams.read(draining, { $0.drainsUntil != nil && $0.role == .shared }) == true {
            retire(draining, at: now)
        }
        for old in former {
            for session in sessions.ids where sessions.read(session, { $0.upstream == old }) == true {
                let era = sessions.read(session) { $0.era } ?? nil
                reassign(session, from: old, to: era.map { sharedProcess(for: $0) } ?? id)
            }
            moveWaiting(of: old, otherwise: id)
            moveListens(from: old, at: now)
        }
        recollect(id)
        upstreams.update(id) { $0.handshakeDeadline = nil }
        if let second { upstreams.update(second) { $0.isSuccessor = true } }
        announceTools(of: id)
        announceLists(of: id)
        let request = snapshot.settings.timeouts.request.nanoseconds
        for old in former where upstreams.contains(old) {
            if let own = upstreams.read(old, { $0.ownListen }) ?? nil { remove(own, at: now) }
            upstreams.update(old) { $0.drainsUntil = now.monotonic + request }
            // One that has not shaken hands has nothing to finish, and what it would say is about a former command.
            if upstreams.read(old, { $0.inFlight == 0 || $0.phase != .ready }) == true { retire(old, at: now) }
        }
        releaseWaiting(of: id, at: now)
    }

    /// Has each session's own process replaced when it has nothing to do: its session lives on, and what comes
    /// meanwhile waits. ``Action/relaunch(_:)`` asks for it. Returns how many are busy now.
    public mutating func renewOwnUpstreams(at now: Moment) -> Int {
        var busy = 0
        for id in upstreams.ids {
            guard case .own(let session)? = upstreams.read(id, { $0.role }) else { continue }
            // Of another command, or told by the operator, it may speak another era than the one before.
            let isModern = sessions.read(session) { $0.era } == .modern
            let opening: UpstreamState.Opening =
                verdict.lacks.contains(.legacy) || isModern && !verdict.lacks.contains(.modern)
                ? .discover : .initialize
            upstreams.update(id) {
                $0.isOutdated = true
                $0.opening = opening
            }
            if !renewIfIdle(id) { busy += 1 }
        }
        return busy
    }

    /// Whether it is being replaced now.
    @discardableResult
    mutating func renewIfIdle(_ id: UpstreamID) -> Bool {
        let isIdle = upstreams.update(id) { state in
            guard state.isOutdated, state.isIdle else { return false }
            state.isOutdated = false
            state.phase = .absent
            state.isSuccessor = true
            state.catalog.headers = knownHeaders
            return true
        }
        guard isIdle == true else { return false }
        for listen in pending.all(where: { $0.upstream == id && $0.isListen && $0.stage == .forwarded }) {
            guard case .listen(let listening)? = pending[listen]?.effect else { continue }
            // Whether its tools are others is seen when they are read again, if they were read before.
            listening.news = [.promptsChanged, .resourcesChanged]
            if upstreams.read(id, { $0.catalog.tools == nil }) == true { listening.news.append(.toolsChanged) }
        }
        actions.append(.relaunch(id))
        return true
    }

    /// Gives the next shared upstream up; the current one stays.
    public mutating func abandonSwap(_ reason: String, at now: Moment) {
        guard let id = nextShared else { return }
        nextShared = nil
        retire(id, at: now)
        actions.append(.swapFailed(SwapFailure(reason: reason)))
    }
}
