internal import EraTranslation
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore

extension Router {
    /// A request of the upstream: sampling, elicitation, roots, ping.
    mutating func asked(_ message: Message, by upstream: UpstreamID, at now: Moment) {
        guard let key = RequestID(message.scan[.id], in: message.bytes) else {
            return record(
                .invalidMessage(
                    direction: .fromUpstream, reason: "request id is longer than the gateway takes", offset: 0,
                    length: message.bytes.readableBytes),
                session: nil, at: now)
        }
        let id = Lexeme(message.scan[.id], in: message.bytes)
        let method = MethodName(of: message)
        let call = AuditEvent.Call(
            requestID: id.display, method: method.text, tool: nil,
            params: snapshot.recordsParams ? message.slice(.params) : nil)
        guard upstreams.read(upstream, { $0.era }) != .modern else {
            let failure = AuditEvent.Failure(
                code: -32601, message: "servers of protocol revision \(ProtocolVersion.modern.text) ask nothing")
            return refuseServerRequest(call, id, of: upstream, failure, session: session(of: upstream), at: now)
        }
        let role = upstreams.read(upstream) { $0.role }
        guard method.known != .ping else {
            record(.serverRequest(call), session: nil, at: now)
            record(.serverResponse(call, AuditEvent.Outcome(duration: 0)), session: nil, at: now)
            actions.append(.forward(upstream, Reply.empty(id: id)))
            return
        }
        guard case .own(let session)? = role, let identity = sessions.read(session, { $0.identity }) else {
            // A request on stdio names no call, so nobody can say whose client should answer. The shared process was
            // told of no capabilities and has no right to ask.
            noteLacking(message, on: upstream)
            let failure = AuditEvent.Failure(code: -32601, message: "the gateway declared no such capability")
            return refuseServerRequest(call, id, of: upstream, failure, session: nil, at: now)
        }
        if sessions.read(session, { $0.era }) == .modern {
            return askedModern(message, call, id, key, by: upstream, of: session, identity, at: now)
        }
        let limit = snapshot.settings.limits.maxPendingPerSession
        let refusal: AuditEvent.Failure? =
            sessions.read(session) { state in
                if state.inputEnded {
                    AuditEvent.Failure(code: -32603, message: "the client's input has ended", reason: "connection_lost")
                } else if state.serverRequests.count >= limit {
                    AuditEvent.Failure(
                        code: -32603, message: "too many requests in flight (max_pending_per_session is \(limit))",
                        reason: "overloaded")
                } else {
                    nil
                }
            } ?? nil
        if let refusal { return refuseServerRequest(call, id, of: upstream, refusal, session: identity, at: now) }
        record(.serverRequest(call), session: identity, at: now)
        let exchange = exchangeAsked(of: session)
        let number = sessions.update(session) { state in
            let number = state.nextServerRequest
            state.nextServerRequest += 1
            state.serverRequests[number] = Session.ServerRequest(
                upstream: upstream, id: id, key: key, call: call, snapshot: snapshot, asked: now.monotonic,
                exchange: exchange)
            return number
        }
        guard let number else { return }
        upstreams.update(upstream) { $0.openServerRequests += 1 }
        var outgoing = SplicedMessage(message.bytes)
        outgoing.replace(message.scan[.id], withInteger: UInt64(number))
        actions.append(.send(session, outgoing, exchange))
    }

    /// The exchange of the only call that a session's own process can be asking about: its client is listening there,
    /// whether or not it has a stream for the session as a whole. With several nobody can say which one is meant.
    private func exchangeAsked(of session: SessionID) -> Exchange {
        let open =
            sessions.read(session) { $0.version != nil && $0.openCount == 1 ? $0.openRequests.first : nil } ?? nil
        return open.flatMap { id in pending.read(id) { $0.stage == .forwarded ? $0.exchange : nil } ?? nil } ?? .session
    }

    mutating func refuseServerRequest(
        _ call: AuditEvent.Call, _ id: Lexeme, of upstream: UpstreamID, _ failure: AuditEvent.Failure,
        session: SessionIdentity?, at now: Moment
    ) {
        record(.serverRequest(call), session: session, at: now)
        record(.serverResponse(call, AuditEvent.Outcome(duration: 0, failure: failure)), session: session, at: now)
        let reply = ErrorReply.bytes(id: id, code: failure.code ?? -32603, message: failure.message)
        actions.append(.forward(upstream, SplicedMessage(reply)))
    }

    /// A client's answer to such a request; to anything else it is audited and dropped.
    mutating func serverRequestAnswered(_ message: Message, by session: SessionID, at now: Moment) {
        startRecord(of: session, at: now)
        guard let identity = sessions.read(session, { $0.identity }) else { return }
        let number = message.scan[.id].isPresent ? JSONText.integer(message.scan[.id], in: message.bytes) : nil
        guard let number, let request = takeServerRequest(Int64(number), of: session) else {
            return record(
                .invalidMessage(
                    direction: .fromClient, reason: "answer to no request", offset: 0,
                    length: message.bytes.readableBytes),
                session: identity, at: now)
        }
        var failure: AuditEvent.Failure?
        if message.scan.kind == .error {
            let code = message.scan[.errorCode]
            failure = AuditEvent.Failure(
                code: code.isPresent ? JSONText.integer(code, in: message.bytes) : nil,
                message: message.string(.errorMessage) ?? "")
        }
        concludeServerRequest(request, failure, session: identity, at: now)
        if let round = request.round { return roundAnswered(request, round, message, at: now) }
        var outgoing = SplicedMessage(message.bytes)
        outgoing.replace(message.scan[.id], with: request.id)
        actions.append(.forward(request.upstream, outgoing))
    }

    /// Answers one with an error of ours because its client cannot.
    mutating func failServerRequest(_ number: Int64, of session: SessionID, _ ending: Ending, at now: Moment) {
        guard let identity = sessions.read(session, { $0.identity }),
            let request = takeServerRequest(number, of: session)
        else { return }
        let failure = AuditEvent.Failure(code: -32603, message: ending.message, reason: ending.reason)
        concludeServerRequest(request, failure, session: identity, at: now)
        if let round = request.round {
            return endRound(round, with: ProtocolError(code: -32603, message: ending.message), at: now)
        }
        actions.append(.forward(request.upstream, SplicedMessage(ending.reply(to: request.id))))
    }

    /// Answers all of them: the client is gone.
    mutating func abandonServerRequests(of session: SessionID, at now: Moment) {
        let open = sessions.read(session) { $0.serverRequests.keys.sorted() } ?? []
        for number in open { failServerRequest(number, of: session, .connectionLost, at: now) }
    }

    /// Where a client hears more of a question: behind the question itself, since streams overtake each other. Where that
    /// call has ended, on the session's stream.
    private func wayBack(of request: Session.ServerRequest, in session: SessionID) -> Exchange {
        let open = sessions.read(session) { $0.openRequests } ?? []
        return open.contains { id in pending.read(id) { $0.exchange } == request.exchange }
            ? request.exchange : .session
    }

    /// Tells the client that nobody waits for its answer any more: the upstream exited.
    mutating func withdrawServerRequests(of session: SessionID, at now: Moment) {
        guard let (identity, open) = sessions.read(session, { ($0.identity, $0.serverRequests.keys.sorted()) }) else {
            return
        }
        for number in open {
            guard let request = takeServerRequest(number, of: session) else { continue }
            let failure = AuditEvent.Failure(
                code: nil, message: Ending.upstreamExited.message, reason: Ending.upstreamExited.reason)
            concludeServerRequest(request, failure, session: identity, at: now)
            actions.append(
                .send(
                    session, Reply.cancellation(of: Lexeme(integer: UInt64(number)), reason: "upstream exited"),
                    wayBack(of: request, in: session)))
        }
    }

    /// `notifications/cancelled` of the upstream for a request that a client is working on. No answer is due any more.
    mutating func serverRequestCancelled(_ message: Message, by upstream: UpstreamID, at now: Moment) -> SessionID? {
        let range = message.scan[.paramsRequestID]
        if !heldCalls.isEmpty, range.isPresent, let key = RequestID(range, in: message.bytes),
            let session = questionCancelled(key, by: upstream, at: now)
        {
            return session
        }
        guard case .own(let session)? = upstreams.read(upstream, { $0.role }), range.isPresent,
            let key = RequestID(range, in: message.bytes),
            let number = sessions.read(session, { $0.serverRequests.first { $0.value.key == key }?.key }) ?? nil,
            let identity = sessions.read(session, { $0.identity }),
            let request = takeServerRequest(number, of: session)
        else { return nil }
        let failure = AuditEvent.Failure(code: nil, message: "cancelled by the upstream", reason: "cancelled")
        concludeServerRequest(request, failure, session: identity, at: now)
        var outgoing = SplicedMessage(message.bytes)
        outgoing.replace(range, withInteger: UInt64(number))
        actions.append(.send(session, outgoing, wayBack(of: request, in: session)))
        return session
    }

    mutating func takeServerRequest(_ number: Int64, of session: SessionID) -> Session.ServerRequest? {
        guard let request = sessions.update(session, { $0.serverRequests.removeValue(forKey: number) }) ?? nil else {
            return nil
        }
        // One that was embedded in a result rests the clock of its own call only.
        if request.round == nil { upstreams.update(request.upstream) { $0.openServerRequests -= 1 } }
        return request
    }

    mutating func concludeServerRequest(
        _ request: Session.ServerRequest, _ failure: AuditEvent.Failure?, session: SessionIdentity, at now: Moment
    ) {
        let duration = now.monotonic >= request.asked ? now.monotonic - request.asked : 0
        record(
            .serverResponse(request.call, AuditEvent.Outcome(duration: duration, failure: failure)), session: session,
            under: request.snapshot, at: now)
    }
}
