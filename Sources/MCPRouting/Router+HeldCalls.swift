internal import EraTranslation
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore

/// A legacy upstream asks during a modern client's call: the client is answered with what is asked, and the call is
/// held open at the upstream until the client's retry brings the answers.
///
/// A retry is known by its `requestState`: signed, good for ten minutes and for one use, bound to the session, the
/// method, what it names and its arguments. Open calls are bounded in number by ``mostHeld`` a session, in time by the
/// state's life and the call's own hard deadline.
final class HeldCall {
    /// One request of the upstream that the client is asked with.
    struct Question {
        let key: String
        let request: ServerRequest
        /// The upstream's id as sent.
        let id: Lexeme
        let number: RequestID
        let call: AuditEvent.Call
        let snapshot: Snapshot
        let asked: UInt64
    }

    /// The request as the upstream has it.
    let pending: PendingID
    let session: SessionID
    let binding: RequestBinding
    /// What its client declared with the request, or with its last retry: it is asked nothing else.
    var features: ClientFeatures
    /// What the client was asked, or is asked at its next retry.
    var questions: [Question]
    /// What the upstream asked after the client had been answered.
    var later: [Question] = []
    /// When the last state that names it is good for nothing any more, in monotonic nanoseconds.
    var expires: UInt64 = 0
    /// What the upstream answered without waiting any longer.
    var answer: Message?

    init(
        pending: PendingID, session: SessionID, binding: RequestBinding, features: ClientFeatures, questions: [Question]
    ) {
        self.features = features
        self.pending = pending
        self.session = session
        self.binding = binding
        self.questions = questions
    }
}

extension Router {
    /// How many calls of one session may be held open.
    static var mostHeld: Int { 64 }
    /// How long a state is good for, in seconds.
    static var stateLifetime: UInt64 { 600 }

    /// A request of a legacy upstream for a modern session. Which of its calls it belongs to, stdio does not say; any
    /// of them will do, since all are the same client's.
    mutating func askedModern(
        _ message: Message, _ call: AuditEvent.Call, _ id: Lexeme, _ number: RequestID, by upstream: UpstreamID,
        of session: SessionID, _ identity: SessionIdentity, at now: Moment
    ) {
        let request: ServerRequest
        do throws(ProtocolError) {
            request = try ServerRequest(of: message)
        } catch {
            let failure = AuditEvent.Failure(code: error.code, message: error.message)
            return refuseServerRequest(call, id, of: upstream, failure, session: identity, at: now)
        }
        lastQuestion += 1
        let question = HeldCall.Question(
            key: "q\(lastQuestion)", request: request, id: id, number: number, call: call, snapshot: snapshot,
            asked: now.monotonic)
        let held = heldCalls.filter {
            $0.value.session == session && $0.value.features.isSuperset(of: request.features)
        }
        let carrier = carrier(of: request.features, for: session, on: upstream)
        guard carrier != nil || !held.isEmpty else {
            noteLacking(request.features, on: upstream)
            let failure = AuditEvent.Failure(
                code: -32601, message: "no call in flight whose client declared what this needs")
            return refuseServerRequest(call, id, of: upstream, failure, session: identity, at: now)
        }
        guard held.reduce(0, { $0 + $1.value.questions.count + $1.value.later.count }) < Self.mostHeld else {
            let failure = AuditEvent.Failure(
                code: -32603,
                message: "too many requests of the upstream wait for the client (at most \(Self.mostHeld))",
                reason: "overloaded")
            return refuseServerRequest(call, id, of: upstream, failure, session: identity, at: now)
        }
        record(.serverRequest(call), session: identity, at: now)
        upstreams.update(upstream) { $0.openServerRequests += 1 }
        if let carrier, let request = pending[carrier], let original = request.original {
            hold(carrier, request, original, question, of: session, at: now)
        } else if let last = held.max(by: { $0.key < $1.key })?.value {
            last.later.append(question)
        }
    }

    /// The newest call that can bring a question to the client.
    private func carrier(of features: ClientFeatures, for session: SessionID, on upstream: UpstreamID) -> PendingID? {
        let open = sessions.read(session) { $0.openRequests } ?? []
        return open.filter { id in
            guard let request = pending[id], request.upstream == upstream, let original = request.original,
                request.stage == .forwarded || request.stage == .continuing
            else { return false }
            return ClientFeatures(original.scan[.metaClientCapabilities], in: original.bytes).isSuperset(of: features)
        }.max { pending.admission(of: $0) < pending.admission(of: $1) }
    }

    /// Answers the client's request with the question, and keeps the upstream's side of it.
    private mutating func hold(
        _ id: PendingID, _ request: Pending, _ original: Message, _ question: HeldCall.Question, of session: SessionID,
        at now: Moment
    ) {
        let upstreamSide = request.predecessor ?? id
        let held = HeldCall(
            pending: upstreamSide, session: session, binding: RequestBinding(of: original),
            features: ClientFeatures(original.scan[.metaClientCapabilities], in: original.bytes), questions: [question])
        let result = ask(with: held, at: now)
        conclude(request, nil, result: request.snapshot.recordsResults ? result : nil, at: now)
        release(originalOf: request)
        if let predecessor = request.predecessor {
            pending.update(predecessor) { $0.successor = nil }
            remove(id, at: now)
        } else {
            request.stage = .held
        }
        pending.restart(upstreamSide, now: now.monotonic)
        deliver(Reply.result(id: request.id, result), to: request, at: now)
    }

    /// What a held call is waiting for, as the result of the request that is answered with it.
    private mutating func ask(with held: HeldCall, at now: Moment) -> ByteBuffer {
        nextHeld += 1
        heldCalls[nextHeld] = held
        held.expires = now.monotonic + Self.stateLifetime * 1_000_000_000
        let state = stateKeys.issue(
            RequestState(callID: nextHeld, caller: Self.caller(held.session), request: held.binding),
            at: now.monotonic / 1_000_000_000)
        return InputRequired.result(asking: held.questions.map { ($0.key, $0.request) }, requestState: state)
    }

    /// Whom a state is bound to: the router's session, which a line door has for a connection and the HTTP door for a
    /// peer.
    private static func caller(_ session: SessionID) -> String { "\(session.index).\(session.generation)" }

    /// Whether a state was given to a session and its call is still held.
    func holds(_ state: String, for session: SessionID, _ message: Message, at now: Moment) -> Bool {
        guard heldCalls.values.contains(where: { $0.session == session }) else { return false }
        do throws(RequestStateError) {
            let callID = try stateKeys.verify(
                state, caller: Self.caller(session), request: RequestBinding(of: message),
                at: now.monotonic / 1_000_000_000)
            return heldCalls[callID] != nil
        } catch {
            // Another session's, or nobody's.
            return false
        }
    }

    /// A retry: verifies its state and hands its answers to the upstream.
    mutating func continueHeld(
        _ number: PendingID, _ request: Pending, _ message: Message, state text: String, at now: Moment
    ) throws(ProtocolError) {
        guard let session = request.session else { return }
        let callID: UInt64
        do throws(RequestStateError) {
            callID = try stateKeys.verify(
                text, caller: Self.caller(session), request: RequestBinding(of: message),
                at: now.monotonic / 1_000_000_000)
        } catch {
            throw error.reply
        }
        guard let held = heldCalls.removeValue(forKey: callID) else { throw RequestStateError.used.reply }
        let responses: InputResponses
        do throws(ProtocolError) {
            responses = try InputResponses(of: message, expecting: held.questions.map(\.key))
        } catch {
            // The client may still do better with the same state.
            heldCalls[callID] = held
            throw error
        }
        keep(message, for: request)
        held.features = ClientFeatures(message.scan[.metaClientCapabilities], in: message.bytes)
        var open: [HeldCall.Question] = []
        for (question, result) in zip(held.questions, responses.results) {
            guard let result else {
                open.append(question)
                continue
            }
            answer(question, with: result, of: held, request.identity, at: now)
        }
        held.questions = open + held.later
        held.later = []
        request.stage = .continuing
        beginWork(of: session, on: request.upstream)
        guard held.questions.isEmpty else {
            let result = ask(with: held, at: now)
            conclude(request, nil, result: request.snapshot.recordsResults ? result : nil, at: now)
            remove(number, at: now)
            return deliver(Reply.result(id: request.id, result), to: request, at: now)
        }
        request.predecessor = held.pending
        pending.update(held.pending) { $0.successor = number }
        if let answer = held.answer { heldAnswered(held.pending, answer, at: now) }
    }

    private mutating func answer(
        _ question: HeldCall.Question, with result: ByteBuffer, of held: HeldCall, _ identity: SessionIdentity?,
        at now: Moment
    ) {
        guard let upstream = pending[held.pending]?.upstream else { return }
        upstreams.update(upstream) { $0.openServerRequests -= 1 }
        conclude(question, nil, identity, at: now)
        actions.append(.forward(upstream, Reply.result(id: question.id, result)))
    }

    private mutating func conclude(
        _ question: HeldCall.Question, _ failure: AuditEvent.Failure?, _ identity: SessionIdentity?, at now: Moment
    ) {
        let duration = now.monotonic >= question.asked ? now.monotonic - question.asked : 0
        record(
            .serverResponse(question.call, AuditEvent.Outcome(duration: duration, failure: failure)), session: identity,
            under: question.snapshot, at: now)
    }

    /// The upstream's answer to a held call: goes to the retry, or waits for it.
    mutating func heldAnswered(_ id: PendingID, _ message: Message, at now: Moment) {
        guard let held = pending[id] else { return }
        guard let successor = held.successor else {
            heldCalls.values.first { $0.pending == id }?.answer = message
            return
        }
        remove(id, at: now)
        pending.update(successor) {
            $0.predecessor = nil
            $0.stage = .forwarded
        }
        answered(successor, message, at: now)
    }

    // MARK: - Ends

    /// A held call's client has not come back in time, or never will: the upstream is told.
    mutating func giveUpHeld(_ id: PendingID, _ ending: Ending, at now: Moment) {
        guard let request = pending[id], request.stage == .held else { return }
        dropQuestions(of: id, ending, at: now)
        actions.append(
            .forward(
                request.upstream, Reply.cancellation(of: Lexeme(integer: id.number), reason: ending.reason)))
        bury(id, at: now)
    }

    /// Answers what the upstream still asks for a held call with an error, and forgets the call.
    mutating func dropQuestions(of id: PendingID, _ ending: Ending, at now: Moment) {
        guard let (key, held) = heldCalls.first(where: { $0.value.pending == id }), let request = pending[id] else {
            return
        }
        heldCalls[key] = nil
        for question in held.questions + held.later {
            upstreams.update(request.upstream) { $0.openServerRequests -= 1 }
            conclude(
                question, AuditEvent.Failure(code: -32603, message: ending.message, reason: ending.reason),
                request.identity, at: now)
            actions.append(.forward(request.upstream, SplicedMessage(ending.reply(to: question.id))))
        }
    }

    /// All of a session's held calls, when it ends.
    mutating func giveUpHeld(of session: SessionID, _ ending: Ending, at now: Moment) {
        let open = heldCalls.filter { $0.value.session == session }.sorted { $0.key < $1.key }
        for (_, held) in open { giveUpHeld(held.pending, ending, at: now) }
    }

    /// The upstream takes back what it asked a modern client.
    mutating func questionCancelled(_ number: RequestID, by upstream: UpstreamID, at now: Moment) -> SessionID? {
        for held in heldCalls.values where pending[held.pending]?.upstream == upstream {
            let all = held.questions + held.later
            guard let question = all.first(where: { $0.number == number }) else { continue }
            held.questions.removeAll { $0.number == number }
            held.later.removeAll { $0.number == number }
            upstreams.update(upstream) { $0.openServerRequests -= 1 }
            let identity = sessions.read(held.session) { $0.identity }
            conclude(
                question, AuditEvent.Failure(code: nil, message: "cancelled by the upstream", reason: "cancelled"),
                identity, at: now)
            return held.session
        }
        return nil
    }
}
