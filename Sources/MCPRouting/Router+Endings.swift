internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore
internal import OutputSanitizer

extension Router {
    /// The one RESPONSE of a client's request, whatever ended it. The request stays in the table.
    mutating func conclude(
        _ request: Pending, _ failure: AuditEvent.Failure?, result: ByteBuffer?, sanitized: RemovalCounts? = nil,
        at now: Moment
    ) {
        guard let session = request.session else { return }
        if let failure, case .subscribed(let uri) = request.effect, failure.reason != "connection_lost" {
            subscriptionFailed(uri, of: request)
        }
        // The monotonic clock is read once a turn, so a request can end in the turn that admitted it.
        let duration = now.monotonic >= request.admitted ? now.monotonic - request.admitted : 0
        record(
            .response(
                request.call,
                AuditEvent.Outcome(duration: duration, failure: failure, result: result, sanitized: sanitized)),
            session: request.identity, under: request.isListen ? nil : request.snapshot, at: now)
        let isShadowed = sessions.update(session) { state in
            guard state.shadowed.isEmpty else { return true }
            state.inFlight.removeValue(forKey: request.key)
            return false
        }
        if isShadowed == true { end(request, of: session) }
        if !request.isListen { callEnded(under: request.snapshot.generation) }
    }

    /// Takes a request out of its session's ids in flight, some of which are in flight more than once.
    private mutating func end(_ request: Pending, of session: SessionID) {
        let open = sessions.read(session) { $0.requests(of: request.key) } ?? []
        // The one that ends may have left the table before; all others are in it.
        guard let id = open.first(where: { id in pending.read(id) { $0 === request } ?? true }) else { return }
        sessions.update(session) { $0.end(id, request.key) }
    }

    /// Takes a request out of the table; the caller does not need it any more.
    mutating func remove(_ id: PendingID, at now: Moment) {
        _ = take(id, at: now)
    }

    /// Takes a request out of the table.
    mutating func take(_ id: PendingID, at now: Moment) -> Pending? {
        guard let request = pending.remove(id) else { return nil }
        if request.original != nil { release(originalOf: request) }
        let isDrained = upstreams.update(request.upstream) {
            $0.inFlight -= 1
            if request.isListen { $0.listens -= 1 }
            if !$0.loggers.isEmpty { $0.loggers.remove(id) }
            return $0.inFlight == 0 && $0.drainsUntil != nil
        }
        if request.stage != .waiting, !request.isListen, let session = request.session {
            endWork(of: session, on: request.upstream)
        }
        if isDrained == true { retire(request.upstream, at: now) }
        return request
    }

    /// Ends a request that the client still waits for with an error of ours, and tells the upstream to stop.
    mutating func fail(_ id: PendingID, _ ending: Ending, at now: Moment) {
        guard let request = pending[id], request.stage != .tombstone, request.stage != .held else { return }
        conclude(request, ending.failure(of: request), result: nil, at: now)
        withdraw(request, id, ending, at: now)
        deliver(SplicedMessage(ending.reply(to: request.id)), to: request, at: now)
        if case .initialize = request.effect, let session = request.session { resetInitialize(of: session, at: now) }
    }

    /// Ends a request whose client does not wait any more: no answer.
    mutating func abandon(_ id: PendingID, _ ending: Ending, at now: Moment) {
        guard let request = pending[id], request.stage != .tombstone, request.stage != .held else { return }
        conclude(request, ending.failure(of: request), result: nil, at: now)
        withdraw(request, id, ending, at: now)
        leaveUnanswered(request)
    }

    /// Ends a request that its upstream has answered beyond use, or will never answer.
    mutating func endForwarded(_ id: PendingID, _ ending: Ending, at now: Moment) {
        guard let request = pending[id] else { return }
        if request.stage == .held {
            dropQuestions(of: id, ending, at: now)
            if let retry = request.successor {
                // It is the retry that waits for this.
                remove(id, at: now)
                return endForwarded(retry, ending, at: now)
            }
        }
        if let round = request.round { withdrawQuestions(of: round, ending.reason, at: now) }
        guard request.session != nil, request.stage != .tombstone, request.stage != .held else {
            return remove(id, at: now)
        }
        conclude(request, ending.failure(of: request), result: nil, at: now)
        remove(id, at: now)
        deliver(SplicedMessage(ending.reply(to: request.id)), to: request, at: now)
    }

    /// What was forwarded is cancelled upstream and stays as a tombstone, so that a late answer is known.
    mutating func withdraw(_ request: Pending, _ id: PendingID, _ ending: Ending, at now: Moment) {
        switch request.stage {
        case .waiting:
            remove(id, at: now)
        case .forwarded where request.isListen && request.isBridged:
            endBridgedListen(request, at: now)
            remove(id, at: now)
        case .forwarded:
            actions.append(
                .forward(
                    request.upstream,
                    Reply.cancellation(of: Lexeme(integer: id.number), reason: ending.reason)))
            bury(id, at: now)
        case .asking:
            if let round = request.round { withdrawQuestions(of: round, ending.reason, at: now) }
            remove(id, at: now)
        case .continuing:
            endContinuing(request, id, ending, at: now)
        case .reviewing, .held, .tombstone:
            pending.update(id) { $0.stage = .tombstone }
        }
    }

    /// A retry ends before the call that it continues: that one is not wanted any more either.
    private mutating func endContinuing(_ request: Pending, _ id: PendingID, _ ending: Ending, at now: Moment) {
        remove(id, at: now)
        guard let held = request.predecessor, pending.contains(held) else { return }
        actions.append(
            .forward(request.upstream, Reply.cancellation(of: Lexeme(integer: held.number), reason: ending.reason)))
        bury(held, at: now)
    }

    /// What has had its RESPONSE stays for as long as the upstream may still answer it.
    mutating func bury(_ id: PendingID, at now: Moment) {
        let timeout = snapshot.settings.timeouts.request.nanoseconds
        if let request = pending[id], request.original != nil { release(originalOf: request) }
        pending.update(id) {
            $0.stage = .tombstone
            if $0.isListen { $0.timeout = timeout }
        }
        pending.restart(id, now: now.monotonic)
    }

    /// Counts calls per snapshot, so that a removed sink lives as long as the last call that it records.
    mutating func callEnded(under generation: Int) {
        guard let at = generations.lastIndex(where: { $0.generation == generation }) else { return }
        generations[at].calls -= 1
        if generations[at].calls == 0, at != generations.count - 1 {
            generations.remove(at: at)
            actions.append(.generationEnded(generation))
        }
    }

    // MARK: - Cancellation by the client

    /// `notifications/cancelled`: the request gets its RESPONSE record and no answer.
    mutating func cancelled(_ message: Message, by session: SessionID, at now: Moment) -> String? {
        let range = message.scan[.paramsRequestID]
        guard range.isPresent, let key = RequestID(range, in: message.bytes) else { return "without a request id" }
        guard let id = sessions.read(session, { $0.inFlight[key] }) ?? nil, let request = pending[id] else {
            return "for no request in flight"
        }
        // The specification forbids clients to cancel it (basic/utilities/cancellation).
        if case .initialize = request.effect { return "for initialize: ignored" }
        conclude(request, Ending.cancelled.failure(of: request), result: nil, at: now)
        switch request.stage {
        case .waiting:
            remove(id, at: now)
        case .forwarded where request.isListen && request.isBridged:
            withdraw(request, id, .cancelled, at: now)
        case .forwarded:
            var outgoing = SplicedMessage(message.bytes)
            outgoing.replace(range, withInteger: id.number)
            actions.append(.forward(request.upstream, outgoing))
            bury(id, at: now)
        case .asking, .continuing:
            withdraw(request, id, .cancelled, at: now)
        case .reviewing, .held, .tombstone:
            pending.update(id) { $0.stage = .tombstone }
        }
        leaveUnanswered(request)
        endIfDone(session, at: now)
        return nil
    }

    // MARK: - Time

    /// Called every 100 ms: ends what has waited too long.
    public mutating func tick(at now: Moment) {
        for id in pending.expired(at: now.monotonic) { expire(id, at: now) }
        retryIdleRounds(at: now)
        answerDueDiscovers(at: now)
        for id in upstreams.ids {
            expireWaiting(of: id, at: now)
            expireUpstream(id, at: now)
            renewIfIdle(id)
        }
    }

    private mutating func expire(_ id: PendingID, at now: Moment) {
        guard let request = pending[id] else { return }
        if case .gateway(let own) = request.owner {
            remove(id, at: now)
            return ownRequestExpired(own, of: request.upstream, at: now)
        }
        if request.stage == .tombstone { return remove(id, at: now) }
        if request.stage == .held { return expireHeld(id, request, at: now) }
        // While the upstream waits for a client's answer, its own clock stands still. A modern client's call that is asked
        // about is held, so that no other has to wait for it.
        let isAsking = request.era == .legacy && (upstreams.read(request.upstream) { $0.openServerRequests } ?? 0) > 0
        if isAsking, now.monotonic < request.hardDeadline {
            return pending.restart(id, now: now.monotonic)
        }
        if request.stage == .asking, now.monotonic < request.hardDeadline {
            return pending.restart(id, now: now.monotonic)
        }
        if request.stage == .reviewing { return pending.restart(id, now: now.monotonic) }
        fail(id, .timeout(seconds: Double(request.timeout) / 1e9), at: now)
    }

    /// A held call lives on while its retry does, or may still come.
    private mutating func expireHeld(_ id: PendingID, _ request: Pending, at now: Moment) {
        let isAsked = heldCalls.values.contains { $0.pending == id && now.monotonic < $0.expires }
        guard request.successor != nil || isAsked && now.monotonic < request.hardDeadline else {
            return giveUpHeld(id, .timeout(seconds: Double(request.timeout) / 1e9), at: now)
        }
        pending.restart(id, now: now.monotonic)
    }

    /// A request that waits for an absent upstream fails after `connection_timeout`.
    private mutating func expireWaiting(of upstream: UpstreamID, at now: Moment) {
        let limit = snapshot.settings.timeouts.connection.nanoseconds
        while let first = upstreams.read(upstream, { $0.waiting.first }) ?? nil {
            let isDead: Bool =
                first.content.request.map { !pending.contains($0) } ?? false
            guard isDead || first.since + limit <= now.monotonic else { return }
            upstreams.update(upstream) {
                $0.waiting.removeFirst()
                $0.waitingBytes -= first.byteCount
            }
            if let id = first.content.request {
                fail(id, .upstreamUnavailable("not started within connection_timeout"), at: now)
            }
        }
    }
}

extension Ending {
    /// As the RESPONSE records it.
    func failure(of request: Pending) -> AuditEvent.Failure {
        let text = request.stage == .waiting ? "not forwarded: \(message)" : message
        if case .cancelled = self { return AuditEvent.Failure(code: nil, message: text, reason: reason) }
        return AuditEvent.Failure(code: -32603, message: text, reason: reason)
    }

    /// As the client reads it.
    func reply(to id: Lexeme) -> ByteBuffer {
        ErrorReply.bytes(id: id, code: -32603, message: message, data: [("reason", reason)])
    }
}

extension PendingTable {
    /// When a request was admitted; 0 when it has ended.
    func admission(of id: PendingID) -> UInt64 {
        read(id) { $0.admitted } ?? 0
    }

    /// Whether an id names a request that was sent to this upstream.
    func belongs(_ id: PendingID, to upstream: UpstreamID) -> Bool {
        read(id) { $0.upstream == upstream } ?? false
    }
}
