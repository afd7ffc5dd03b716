internal import EraTranslation
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore

/// A modern upstream answers a legacy client's call with an InputRequiredResult: the embedded requests go to the client
/// one by one, as requests of a server, and the call is sent again with the answers.
final class InputRound {
    /// The client's call.
    let call: PendingID
    let required: InputRequired
    /// The client's results, by the place of the question.
    var results: [ByteBuffer?]
    /// The numbers under which the client was asked.
    var numbers: [Int64] = []

    init(call: PendingID, required: InputRequired) {
        self.call = call
        self.required = required
        results = Array(repeating: nil, count: required.requests.count)
    }

    var isComplete: Bool { results.allSatisfy { $0 != nil } }
}

extension Router {
    /// How often one call may ask.
    static var mostRounds: Int { 10 }

    /// Asks a legacy client what a modern upstream needs to know.
    mutating func inputRequired(_ id: PendingID, _ message: Message, at now: Moment) {
        guard let request = pending[id], let session = request.session, request.original != nil,
            let declared = sessions.read(session, { $0.introduction?.features ?? [] })
        else { return fail(id, Self.unusable("the upstream asks where it may not"), at: now) }
        request.rounds += 1
        guard request.rounds <= Self.mostRounds else {
            return fail(
                id, Self.unusable("the upstream asked more than \(Self.mostRounds) times for one call"), at: now)
        }
        let required: InputRequired
        do throws(ProtocolError) {
            required = try InputRequired(of: message)
        } catch {
            return fail(id, error, at: now)
        }
        guard required.requests.allSatisfy({ declared.isSuperset(of: $0.request.features) }) else {
            return fail(id, Self.unusable("the upstream asks what the client has not declared"), at: now)
        }
        let limit = snapshot.settings.limits.maxPendingPerSession
        guard (sessions.read(session) { $0.serverRequests.count } ?? 0) + required.requests.count <= limit else {
            return fail(id, .overloaded("max_pending_per_session is \(limit)"), at: now)
        }
        let round = InputRound(call: id, required: required)
        request.stage = .asking
        request.round = round
        pending.restart(id, now: now.monotonic)
        // Without a question the upstream only wants to be asked again: at the next tick, not in a tight loop.
        if required.requests.isEmpty { return idleRounds.append(id) }
        for (place, question) in required.requests.enumerated() {
            ask(session, question, place, round, of: request, at: now)
        }
    }

    static func unusable(_ what: String) -> ProtocolError {
        ProtocolError(
            code: -32603, message: "malformed result: \(what)",
            data: ByteBuffer(string: #"{"reason":"malformed_result"}"#))
    }

    private mutating func ask(
        _ session: SessionID, _ question: InputRequired.Request, _ place: Int, _ round: InputRound, of request: Pending,
        at now: Moment
    ) {
        let id = Lexeme(ByteRange(0, question.key.readableBytes), in: question.key)
        let params = question.request.legacyParams(elicitationID: "gatekit-\(round.call.number)-\(place)")
        let call = AuditEvent.Call(
            requestID: id.display, method: question.request.method.rawValue, tool: nil,
            params: request.snapshot.recordsParams ? params : nil)
        record(.serverRequest(call), session: request.identity, under: request.snapshot, at: now)
        let number = sessions.update(session) { state in
            let number = state.nextServerRequest
            state.nextServerRequest += 1
            state.serverRequests[number] = Session.ServerRequest(
                upstream: request.upstream, id: id, key: .integer(number), call: call, snapshot: request.snapshot,
                asked: now.monotonic, exchange: request.exchange, round: round, place: place)
            return number
        }
        guard let number else { return }
        round.numbers.append(number)
        var bytes = ByteBuffer(string: #"{"jsonrpc":"2.0","id":\#(number),"method":"#)
        JSONText.appendQuoted(question.request.method.rawValue, to: &bytes)
        if let params {
            bytes.writeString(#","params":"#)
            bytes.writeImmutableBuffer(params)
        }
        bytes.writeString("}")
        actions.append(.send(session, SplicedMessage(bytes), request.exchange))
    }

    /// A client's answer to such a question. The request has been taken out of the session and was recorded.
    mutating func roundAnswered(
        _ request: Session.ServerRequest, _ round: InputRound, _ message: Message, at now: Moment
    ) {
        guard let call = pending[round.call], call.round === round else { return }
        guard let result = message.scan.kind == .result ? message.slice(.result) : nil,
            JSONText.kind(of: ByteRange(0, result.readableBytes), in: result) == .object
        else {
            let text = message.string(.errorMessage) ?? "no object"
            return endRound(
                round,
                with: ProtocolError(
                    code: -32603, message: "the client did not answer \(request.call.method): \(text.prefix(200))"),
                at: now)
        }
        round.results[request.place] = result
        if round.isComplete { retry(round.call, at: now) }
    }

    /// Ends a call that cannot be asked again.
    mutating func endRound(_ round: InputRound, with error: ProtocolError, at now: Moment) {
        withdrawQuestions(of: round, "the call has ended", at: now)
        fail(round.call, error, at: now)
    }

    /// The call again, with the answers and an id of its own.
    private mutating func retry(_ id: PendingID, at now: Moment) {
        guard let request = pending[id], let session = request.session, let original = request.original,
            let round = request.round, let envelope = sessions.read(session, { $0.stampedEnvelope })
        else { return }
        request.round = nil
        guard let number = renumber(id, now: now.monotonic) else { return }
        let responses = zip(round.required.requests, round.results).compactMap { question, result in
            result.map { (key: question.key, result: $0) }
        }
        let token = request.token == nil ? nil : Lexeme(integer: number.number)
        var splices = envelope.retrying(
            original, progressToken: token, responses: responses, requestState: round.required.requestState)
        splices.replace(original.scan[.id], with: Lexeme(integer: number.number))
        request.stage = .forwarded
        upstreams.update(request.upstream) { _ = $0.loggers.insert(number) }
        actions.append(.forward(request.upstream, splices.applied(to: original.bytes)))
    }

    /// Rounds without a question are asked again by the tick.
    mutating func retryIdleRounds(at now: Moment) {
        let due = idleRounds
        idleRounds.removeAll()
        for id in due where pending[id]?.stage == .asking { retry(id, at: now) }
    }

    /// The same request under another number.
    private mutating func renumber(_ id: PendingID, now: UInt64) -> PendingID? {
        guard let request = pending.remove(id), let session = request.session else { return nil }
        upstreams.update(request.upstream) { $0.loggers.remove(id) }
        let number = pending.insert(request, now: now)
        sessions.update(session) { $0.renumber(id, request.key, number) }
        return number
    }

    /// The client need not answer any more: its call has ended.
    mutating func withdrawQuestions(of round: InputRound, _ reason: String, at now: Moment) {
        guard let call = pending[round.call], let session = call.session else { return }
        call.round = nil
        for number in round.numbers {
            guard let request = takeServerRequest(number, of: session) else { continue }
            if let identity = sessions.read(session, { $0.identity }) {
                concludeServerRequest(
                    request, AuditEvent.Failure(code: nil, message: reason, reason: "cancelled"), session: identity,
                    at: now)
            }
            actions.append(
                .send(
                    session, Reply.cancellation(of: Lexeme(integer: UInt64(number)), reason: reason), call.exchange))
        }
    }
}
