internal import DequeModule
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

extension Router {
    /// An upstream's exec succeeded: shake hands.
    public mutating func upstreamStarted(
        _ id: UpstreamID, pid: Int32, program: String, restart: Int, at now: Moment
    ) {
        guard upstreams.contains(id) else { return }
        record(.upstreamStart(pid: pid, program: program, restart: restart), session: session(of: id), at: now)
        open(id, at: now)
    }

    /// An upstream's process has ended; its supervisor starts the next one. What it was working on ends now, what waits
    /// goes on waiting.
    public mutating func upstreamExited(
        _ id: UpstreamID, pid: Int32, program: String, restart: Int, status: String, at now: Moment
    ) {
        // Also of one that was told to end, and of which nothing else is known any more.
        record(
            .upstreamExit(pid: pid, program: program, restart: restart, status: status), session: session(of: id),
            at: now)
        guard upstreams.contains(id) else { return }
        let wasOpening = upstreams.update(id) { state in
            defer { state.phase = .absent }
            state.catalog.reading = nil
            state.catalog.isStale = false
            state.catalog.isFormer = true
            return state.phase == .handshaking
        }
        suspendListens(of: id, at: now)
        upstreams.update(id) { $0.ownListen = nil }
        // Before their calls end, on whose streams the questions went out.
        if case .own(let session)? = upstreams.read(id, { $0.role }) {
            withdrawServerRequests(of: session, at: now)
        }
        for request in pending.all(where: {
            $0.upstream == id && $0.stage != .waiting && $0.stage != .reviewing
                && !($0.isListen && $0.isBridged && $0.stage == .forwarded)
        }) {
            endForwarded(request, .upstreamExited, at: now)
        }
        if wasOpening == true { exitedWhileOpening(id, at: now) }
    }

    /// An upstream cannot be kept alive: calls fail at once, until its supervisor reports a start again.
    public mutating func upstreamFailed(_ id: UpstreamID, _ detail: String, at now: Moment) {
        guard upstreams.contains(id), !rivalFailed(id, at: now) else { return }
        if id == nextShared { return abandonSwap(detail, at: now) }
        if isUnproved(second: id) { return secondFailed(detail, at: now) }
        upstreams.update(id) { $0.phase = .failed(detail) }
        if id == shared { settleOwnOpenings(nil, at: now) }
        let waiting = upstreams.update(id) { state in
            defer {
                state.waiting.removeAll()
                state.waitingBytes = 0
            }
            return Array(state.waiting)
        }
        for entry in waiting ?? [] {
            if let request = entry.content.request { fail(request, .upstreamUnavailable(detail), at: now) }
        }
    }

    /// The shared upstream is given up: calls fail at once with the reason.
    public mutating func failShared(_ detail: String, at now: Moment) {
        upstreamFailed(shared, detail, at: now)
    }

    mutating func releaseWaiting(of id: UpstreamID, at now: Moment) {
        let waiting = upstreams.update(id) { state in
            defer {
                state.waiting.removeAll()
                state.waitingBytes = 0
            }
            return Array(state.waiting)
        }
        for entry in waiting ?? [] { release(entry.content, to: id, at: now) }
    }

    mutating func handshakeFailed(_ id: UpstreamID, _ reason: String, at now: Moment) {
        actions.append(.log(.warning("upstream \(reason)")))
        upstreams.update(id) { $0.lastRefusal = reason }
        upstreamFailed(id, reason, at: now)
        actions.append(.recycle(id))
    }

    // MARK: - Ends

    /// Ends an upstream for good. What is still in flight there ends with it.
    mutating func retire(_ id: UpstreamID, at now: Moment) {
        // `remove` looks at this to see a drained upstream: it must not come back here.
        upstreams.update(id) { $0.drainsUntil = nil }
        for request in pending.all(where: { $0.upstream == id }) { endForwarded(request, .upstreamExited, at: now) }
        if let rival = upstreams.read(id, { $0.rival }) ?? nil {
            part(id, rival)
            retire(rival, at: now)
        }
        guard let ended = upstreams.remove(id) else { return }
        if ended.handshake == nil, let opening = ended.openedWith {
            lostOpenings.append(opening)
            if lostOpenings.count > 8 { lostOpenings.removeFirst() }
        }
        if case .own = ended.role {
            if let place = postponedStarts.firstIndex(of: id) {
                // There is no process to end.
                postponedStarts.remove(at: place)
                ownUpstreams -= 1
                return
            }
            leavingUpstreams += 1
        }
        actions.append(.stop(id))
    }

    /// A process of a session's own is gone for good: one that waited for its place is started. So sessions that come
    /// and go never have more processes alive than `max_dedicated`, and are not refused meanwhile.
    public mutating func ownUpstreamStopped() {
        ownUpstreams -= 1
        leavingUpstreams = max(0, leavingUpstreams - 1)
        startPostponed()
    }

    /// Starts as many of those that wait as there are places.
    mutating func startPostponed() {
        while ownUpstreams - postponedStarts.count < mostOwnUpstreams, let next = postponedStarts.popFirst() {
            if let role = upstreams.read(next, { $0.role }) { actions.append(.start(next, role)) }
        }
    }

    /// Whether another session may have a process of its own.
    public var hasRoom: Bool { missingPlaces <= 0 }

    /// How many sessions would have to give their process up before another one may have one; none where it is 0 or less.
    public var missingPlaces: Int { ownUpstreams - leavingUpstreams - mostOwnUpstreams + 1 }

    /// Whether a session has a process of its own, and neither of them has anything to do.
    public func holdsIdleProcess(_ id: SessionID) -> Bool {
        guard isIdle(id), let upstream = sessions.read(id, { $0.upstream }) ?? nil else { return false }
        return upstreams.read(upstream) { $0.role == .own(id) && $0.isIdle } == true
    }

    mutating func expireUpstream(_ id: UpstreamID, at now: Moment) {
        if let until = upstreams.read(id, { $0.drainsUntil }) ?? nil, until <= now.monotonic {
            return retire(id, at: now)
        }
        if let due = upstreams.read(id, { $0.silenceDue }) ?? nil, due <= now.monotonic { openingIsSilent(id, at: now) }
        if let due = upstreams.read(id, { $0.rivalDue }) ?? nil, due <= now.monotonic { startRival(of: id, at: now) }
        if id == nextShared, let deadline = upstreams.read(id, { $0.handshakeDeadline }) ?? nil,
            deadline <= now.monotonic
        {
            // One that has shaken hands, and does not answer tools/list, is no worse than one without tools.
            if upstreams.read(id, { $0.phase == .ready }) == true { return actions.append(.swapReady(id)) }
            abandonSwap("no handshake within connection_timeout", at: now)
        }
    }

    /// The client whose own process it is.
    func session(of id: UpstreamID) -> SessionIdentity? {
        guard case .own(let session)? = upstreams.read(id, { $0.role }) else { return nil }
        return sessions.read(session) { $0.identity }
    }
}
