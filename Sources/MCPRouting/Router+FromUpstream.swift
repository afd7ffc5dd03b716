internal import EraTranslation
internal import GatewayEvents
public import JSONRPCWire
internal import NIOCore
internal import OutputSanitizer
public import ToolPolicy

extension Router {
    /// The way of an upstream's message: pending → policy(result) → audit RESPONSE → restore id → session.
    public mutating func receive(_ message: Message, from upstream: UpstreamID, at now: Moment) {
        switch message.scan.kind {
        case .result, .error: answered(message, by: upstream, at: now)
        case .notification: notified(message, by: upstream, at: now)
        case .request: asked(message, by: upstream, at: now)
        }
    }

    /// Results longer than this are reviewed on a worker, so that the loop is never held for more than a millisecond.
    public static var largeResult: Int { 256 * 1024 }

    private mutating func answered(_ message: Message, by upstream: UpstreamID, at now: Moment) {
        guard let id = request(answered: message.scan[.id], in: message.bytes, by: upstream) else {
            if let note = strayAnswer(message, by: upstream) { actions.append(.log(note)) }
            return record(
                .invalidMessage(
                    direction: .fromUpstream, reason: "answer to no request", offset: 0,
                    length: message.bytes.readableBytes),
                session: nil, at: now)
        }
        if case .own(let own) = pending.standing(of: id) {
            remove(id, at: now)
            return ownRequestAnswered(own, message, by: upstream, at: now)
        }
        answered(id, message, at: now)
    }

    /// The answer to a client's request.
    mutating func answered(_ id: PendingID, _ message: Message, at now: Moment) {
        switch pending.standing(of: id) {
        case .forwarded(isReviewed: let isReviewed):
            if let request = pending[id], request.isBridged, request.era == .legacy, message.scan.kind == .result {
                switch ResultTranslation.kind(of: message) {
                case .complete: break
                case .inputRequired: return inputRequired(id, message, at: now)
                case .other: return fail(id, Self.unusable("its resultType is unknown"), at: now)
                }
            }
            guard isReviewed else {
                guard let request = take(id, at: now) else { return }
                return finish(request, with: message, at: now)
            }
            review(message, id, at: now)
        case .held:
            heldAnswered(id, message, at: now)
        case .tombstone, nil, .own:
            remove(id, at: now)
        case .waiting, .reviewing, .withClient:
            // It guessed the id of a request that it was never sent, or answered twice.
            record(
                .invalidMessage(
                    direction: .fromUpstream, reason: "answer to no request", offset: 0,
                    length: message.bytes.readableBytes),
                session: nil, at: now)
        }
    }

    /// Finds the request that an id of an upstream's answer means; only its own ones.
    func request(answered id: ByteRange, in bytes: ByteBuffer, by upstream: UpstreamID) -> PendingID? {
        guard id.isPresent, let number = JSONText.integer(id, in: bytes), number > 0 else { return nil }
        let id = PendingID(number: UInt64(number))
        return pending.belongs(id, to: upstream) ? id : nil
    }

    private mutating func review(_ message: Message, _ id: PendingID, at now: Moment) {
        guard let (snapshot, method) = pending.read(id, { ($0.snapshot, $0.call.method) }) else { return }
        guard message.bytes.readableBytes <= Self.largeResult else {
            pending.update(id) { $0.stage = .reviewing }
            actions.append(.review(id, message, snapshot, method: method))
            return
        }
        guard let request = take(id, at: now) else { return }
        finish(request, snapshot.policies.review(message, of: method), at: now)
    }

    /// A worker has done what ``Action/review(_:_:_:method:)`` asked for.
    public mutating func reviewed(_ id: PendingID, _ review: PolicyChain.Review, at now: Moment) {
        let isWanted = pending.read(id) { $0.stage == .reviewing }
        guard let request = take(id, at: now) else { return }
        // Cancelled or timed out meanwhile: it has had its RESPONSE.
        if isWanted == true { finish(request, review, at: now) }
    }

    private mutating func finish(_ request: Pending, _ review: PolicyChain.Review, at now: Moment) {
        switch review {
        case .deliver(let message, let changes):
            finish(request, with: message, changes: changes, at: now)
        case .refused(let refusal):
            conclude(request, AuditEvent.Failure(code: -32000, message: refusal.reason), result: nil, at: now)
            let reply = ErrorReply.bytes(
                id: request.id, code: -32000, message: refusal.clientMessage,
                data: [("reason", refusal.reason), ("plugin", refusal.plugin)])
            deliver(SplicedMessage(reply), to: request, at: now)
        }
    }

    /// Record, restore the client's id, deliver.
    mutating func finish(
        _ request: Pending, with message: Message, changes: [(plugin: String, change: ResultChange)] = [],
        at now: Moment
    ) {
        var sanitized: RemovalCounts?
        for (plugin, change) in changes {
            switch change {
            case .hid(let count):
                record(
                    .toolsFiltered(request.call, plugin: plugin, count: count), session: request.identity,
                    under: request.snapshot, at: now)
            case .sanitized(let removed):
                sanitized = removed
                sanitizedResponses += 1
                self.sanitized.add(removed)
            }
        }
        if !request.lacking.isEmpty, isRefusalOfQuestion(message) {
            return finish(request, lacking: request.lacking, at: now)
        }
        let result = request.snapshot.recordsResults ? message.slice(.result) : nil
        conclude(request, Self.failure(in: message), result: result, sanitized: sanitized, at: now)
        guard !request.isBridged else { return deliver(bridgedReply(message, to: request), to: request, at: now) }
        var reply = SplicedMessage(message.bytes)
        reply.replace(message.scan[.id], with: request.id)
        if request.isListen, message.scan[.resultMeta].isPresent {
            let subscription = JSONText.member(
                "io.modelcontextprotocol/subscriptionId", of: message.scan[.resultMeta], in: message.bytes)
            if subscription.isPresent { reply.replace(subscription, with: request.id) }
        }
        deliver(reply, to: request, at: now)
    }

    /// Delivers and lets a session go that was only waiting for this.
    mutating func deliver(_ reply: SplicedMessage, to request: Pending, at now: Moment) {
        guard let session = request.session else { return }
        deliver(reply, to: session, batch: request.batch, exchange: request.exchange)
        endIfDone(session, at: now)
    }

    /// What the audit says of an answer that is no success.
    private static func failure(in message: Message) -> AuditEvent.Failure? {
        if message.scan.kind == .error {
            let code = message.scan[.errorCode]
            return AuditEvent.Failure(
                code: code.isPresent ? JSONText.integer(code, in: message.bytes) : nil,
                message: message.string(.errorMessage) ?? "")
        }
        let isError = message.scan[.resultIsError]
        guard isError.isPresent, JSONText.bool(isError, in: message.bytes) == true else { return nil }
        return AuditEvent.Failure(code: nil, message: firstText(of: message) ?? "")
    }

    private static func firstText(of message: Message) -> String? {
        let content = message.scan[.resultContent]
        guard content.isPresent, JSONText.kind(of: content, in: message.bytes) == .array else { return nil }
        var text: String?
        JSONText.forEachElement(of: content, in: message.bytes) { block in
            guard text == nil, JSONText.kind(of: block, in: message.bytes) == .object else { return }
            let range = JSONText.member("text", of: block, in: message.bytes)
            if range.isPresent { text = JSONText.string(range, in: message.bytes) }
        }
        return text
    }
}
