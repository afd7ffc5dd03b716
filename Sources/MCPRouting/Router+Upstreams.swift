internal import DequeModule
internal import GatewayConfiguration
public import GatewayEvents
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
        upstreams.update(id) { $0.phase = .handshaking }
        let params = upstreams.read(id) { $0.initializeParams } ?? nil
        ask(.handshake, of: id, MCPMethod.initialize.rawValue, params ?? ownInitializeParams, at: now)
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
        upstreams.update(id) {
            $0.phase = .absent
            $0.catalog.reading = nil
            $0.catalog.isStale = false
        }
        for request in pending.all(where: { $0.upstream == id && $0.stage != .waiting && $0.stage != .reviewing }) {
            endForwarded(request, .upstreamExited, at: now)
        }
        if case .own(let session)? = upstreams.read(id, { $0.role }) {
            withdrawServerRequests(of: session, at: now)
        }
    }

    /// An upstream cannot be kept alive: calls fail at once, until its supervisor reports a start again.
    public mutating func upstreamFailed(_ id: UpstreamID, _ detail: String, at now: Moment) {
        guard upstreams.contains(id) else { return }
        if id == nextShared { return abandonSwap(detail, at: now) }
        upstreams.update(id) { $0.phase = .failed(detail) }
        let waiting = upstreams.update(id) { state in
            defer {
                state.waiting.removeAll()
                state.waitingBytes = 0
            }
            return Array(state.waiting)
        }
        for entry in waiting ?? [] {
            switch entry.content {
            case .request(let request, _), .initialize(let request):
                fail(request, .upstreamUnavailable(detail), at: now)
            case .notification: break
            }
        }
    }

    /// The shared upstream is given up: calls fail at once with the reason.
    public mutating func failShared(_ detail: String, at now: Moment) {
        upstreamFailed(shared, detail, at: now)
    }

    /// The handshake is done: what was set up before is set up again, and then the waiting requests are released.
    mutating func handshakeAnswered(_ message: Message, by id: UpstreamID, at now: Moment) {
        guard message.scan.kind == .result, let handshake = Handshake(of: message) else {
            if message.scan.kind == .error, passRefusal(message, by: id, at: now) { return }
            let reason = message.string(.errorMessage).map { "answered initialize with an error: \($0.prefix(200))" }
            return handshakeFailed(id, reason ?? "answered initialize with a malformed result", at: now)
        }
        guard ProtocolVersion.legacy.contains(handshake.version.text) else {
            return handshakeFailed(id, "answered initialize with an unknown protocol revision", at: now)
        }
        upstreams.update(id) {
            $0.handshake = handshake
            $0.phase = .ready
            $0.handshakeDeadline = nil
        }
        if id == shared || id == nextShared { provenRevision = handshake.version.text }
        actions.append(.forward(id, Reply.notification(MCPMethod.initialized.rawValue)))
        if id == nextShared, let (level, subscribers) = upstreams.read(shared, { ($0.level, $0.subscribers) }) {
            // What its sessions want by now, not when it was started.
            upstreams.update(id) {
                $0.level = level
                $0.subscribers = subscribers
            }
        }
        if id != nextShared { actions.append(.upstreamReady(id)) }
        if id == shared, endUnusedShared(at: now) { return }
        restore(id, at: now)
        if handshake.hasTools { readTools(of: id, at: now) }
        if id == nextShared { return actions.append(.swapReady(id)) }
        releaseWaiting(of: id, at: now)
    }

    /// A session's own process refuses the client's `initialize`: the client reads the refusal as it is, and may try
    /// again. False after a restart, when nobody waits for it.
    private mutating func passRefusal(_ message: Message, by id: UpstreamID, at now: Moment) -> Bool {
        guard case .own(let session)? = upstreams.read(id, { $0.role }),
            case .initialize(let waiting)? = upstreams.read(id, { $0.waiting.first?.content }) ?? nil,
            let request = take(waiting, at: now)
        else { return false }
        finish(request, with: message, at: now)
        resetInitialize(of: session, at: now)
        return true
    }

    private mutating func releaseWaiting(of id: UpstreamID, at now: Moment) {
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
        upstreamFailed(id, reason, at: now)
        actions.append(.recycle(id))
    }

    // MARK: - Replacing the shared upstream

    /// A reload changes the upstream's command or environment: starts the next process, which the sessions do not see
    /// yet. ``Action/swapReady(_:)`` says that it has shaken hands, ``Action/swapFailed(_:)`` that it could not within
    /// the `connection_timeout` of `next`.
    public mutating func replaceShared(for next: Snapshot, at now: Moment) {
        if let unfinished = nextShared { retire(unfinished, at: now) }
        let state = UpstreamState(role: .shared)
        state.handshakeDeadline = now.monotonic + next.settings.timeouts.connection.nanoseconds
        let id = upstreams.insert(state)
        nextShared = id
        actions.append(.start(id, .shared))
    }

    /// Whether a process has to shake hands before `next` can be in force although nothing of the launch has changed:
    /// its sessions would share one, and there is none.
    public func needsShared(for next: Snapshot) -> Bool {
        !next.isDedicated && !upstreams.contains(shared)
    }

    /// Ends the shared process where sessions are dedicated and none of an earlier configuration uses it. Whether it did.
    @discardableResult
    mutating func endUnusedShared(at now: Moment) -> Bool {
        guard snapshot.isDedicated, upstreams.contains(shared), !isSharedUsed else { return false }
        retire(shared, at: now)
        return true
    }

    /// Whether a session uses it, or it still has to prove that the upstream can be started.
    private var isSharedUsed: Bool {
        provenRevision == nil
            || sessions.ids.contains { id in sessions.read(id) { $0.upstream == shared } == true }
    }

    /// How many sessions keep a process of the kind that new sessions do not get: they began before a reload changed
    /// `sessions`.
    public var sessionsOfTheOtherKind: Int {
        sessions.ids.count { id in
            guard let upstream = sessions.read(id, { $0.upstream }) ?? nil else { return false }
            return (upstream == shared) == snapshot.isDedicated
        }
    }

    /// Whether an upstream is the one that will take over.
    public func isNextShared(_ id: UpstreamID) -> Bool { id == nextShared }

    /// Lets the next shared upstream take over, after ``Action/swapReady(_:)``: sessions move, what waits goes to it,
    /// and the former one ends when its calls have, at most `request_timeout` later.
    public mutating func completeSwap(at now: Moment) {
        guard let id = nextShared, upstreams.read(id, { $0.phase == .ready }) == true else { return }
        let old = shared
        shared = id
        nextShared = nil
        // One process drains at a time.
        for draining in upstreams.ids
        where upstreams.read(draining, { $0.drainsUntil != nil && $0.role == .shared }) == true {
            retire(draining, at: now)
        }
        // Where sessions were dedicated there is none.
        let (waiting, bytes) = upstreams.read(old, { ($0.waiting, $0.waitingBytes) }) ?? ([], 0)
        upstreams.update(old) {
            $0.waiting.removeAll()
            $0.waitingBytes = 0
        }
        upstreams.update(id) {
            $0.waiting = waiting
            $0.waitingBytes = bytes
        }
        for entry in waiting { if case .request(let request, _) = entry.content { move(request, to: id) } }
        for entry in waiting { if case .initialize(let request) = entry.content { move(request, to: id) } }
        for session in sessions.ids where sessions.read(session, { $0.upstream == old }) == true {
            moveWork(of: session, from: old)
            sessions.update(session) { $0.upstream = id }
        }
        announceLists(of: id)
        let request = snapshot.settings.timeouts.request.nanoseconds
        upstreams.update(old) { $0.drainsUntil = now.monotonic + request }
        if upstreams.read(old, { $0.inFlight == 0 }) == true { retire(old, at: now) }
        releaseWaiting(of: id, at: now)
    }

    /// Has each session's own process replaced when it has nothing to do: its session lives on, and what comes
    /// meanwhile waits. ``Action/relaunch(_:)`` asks for it. Returns how many are busy now.
    public mutating func renewOwnUpstreams(at now: Moment) -> Int {
        var busy = 0
        for id in upstreams.ids {
            guard case .own? = upstreams.read(id, { $0.role }) else { continue }
            upstreams.update(id) { $0.isOutdated = true }
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
            return true
        }
        guard isIdle == true else { return false }
        actions.append(.relaunch(id))
        return true
    }

    /// A request that still waits changes its upstream.
    private mutating func move(_ request: PendingID, to id: UpstreamID) {
        guard let old = pending[request]?.upstream else { return }
        pending.update(request) { $0.upstream = id }
        upstreams.update(old) { $0.inFlight -= 1 }
        upstreams.update(id) { $0.inFlight += 1 }
    }

    /// What the old process still does for a session cannot be told from its new work by the session's own count.
    private mutating func moveWork(of session: SessionID, from old: UpstreamID) {
        let working = sessions.update(session) { state in
            defer { state.working = 0 }
            return state.working
        }
        guard let working, working > 0 else { return }
        upstreams.update(old) {
            $0.busyCount -= 1
            $0.busySum -= session.index
            $0.ghosts += working
        }
    }

    /// Gives the next shared upstream up; the current one stays.
    public mutating func abandonSwap(_ reason: String, at now: Moment) {
        guard let id = nextShared else { return }
        nextShared = nil
        retire(id, at: now)
        actions.append(.swapFailed(SwapFailure(reason: reason)))
    }

    // MARK: - Ends

    /// Ends an upstream for good. What is still in flight there ends with it.
    mutating func retire(_ id: UpstreamID, at now: Moment) {
        // `remove` looks at this to see a drained upstream: it must not come back here.
        upstreams.update(id) { $0.drainsUntil = nil }
        for request in pending.all(where: { $0.upstream == id }) { endForwarded(request, .upstreamExited, at: now) }
        guard upstreams.remove(id) != nil else { return }
        actions.append(.stop(id))
    }

    /// A process of a session's own is gone for good. Until then it counts, so that sessions that come and go cannot have
    /// more processes alive than `max_dedicated`.
    public mutating func ownUpstreamStopped() {
        ownUpstreams -= 1
    }

    mutating func expireUpstream(_ id: UpstreamID, at now: Moment) {
        if let until = upstreams.read(id, { $0.drainsUntil }) ?? nil, until <= now.monotonic {
            return retire(id, at: now)
        }
        if id == nextShared, let deadline = upstreams.read(id, { $0.handshakeDeadline }) ?? nil,
            deadline <= now.monotonic
        {
            abandonSwap("no handshake within connection_timeout", at: now)
        }
    }

    private func session(of id: UpstreamID) -> SessionIdentity? {
        guard case .own(let session)? = upstreams.read(id, { $0.role }) else { return nil }
        return sessions.read(session) { $0.identity }
    }

    /// The shared process is told of no capabilities: a server request on stdio names no call.
    private var ownInitializeParams: ByteBuffer {
        var params = ByteBuffer(string: #"{"protocolVersion":"\#(ProtocolVersion.newestLegacy.text)","#)
        params.writeString(#""capabilities":{},"clientInfo":{"name":"gatekit","version":"#)
        JSONText.appendQuoted(version, to: &params)
        params.writeString("}}")
        return params
    }
}
