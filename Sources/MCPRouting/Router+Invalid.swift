internal import GatewayConfiguration
public import GatewayEvents
public import JSONRPCWire
public import NIOCore

extension Router {
    /// A client's line that the scanner refused. `line` is what it was read from, for the id.
    public mutating func rejected(
        _ rejection: Rejection, _ line: ByteBuffer, from session: SessionID, exchange: Exchange = .session,
        at now: Moment
    ) {
        startRecord(of: session, at: now)
        invalid(rejection, line, from: session, batch: nil, exchange: exchange, at: now)
    }

    /// Audits a bad message and answers it as JSON-RPC prescribes; a bad response is never answered.
    mutating func invalid(
        _ rejection: Rejection, _ line: ByteBuffer, from session: SessionID, batch: BatchID?, exchange: Exchange,
        at now: Moment
    ) {
        startRecord(of: session, at: now)
        guard let identity = sessions.read(session, { $0.identity }) else { return }
        record(
            .invalidMessage(
                direction: .fromClient, reason: rejection.reason, offset: rejection.offset,
                length: line.readableBytes),
            session: identity, at: now)
        guard !rejection.isResponse else {
            if let batch { settle(batch, with: nil) } else { endExchange(exchange, of: session) }
            return
        }
        let id = rejection.id.isPresent ? Lexeme(rejection.id, in: line) : .null
        let reply = ErrorReply.bytes(id: id, code: rejection.code, message: rejection.reason)
        deliver(SplicedMessage(reply), to: session, batch: batch, exchange: exchange)
    }

    /// A client's message beyond `max_message_bytes`: fails at once when its id stands in the head, the rest is
    /// skipped by the framer.
    public mutating func oversize(_ peek: Peek, head: ByteBuffer, from session: SessionID, at now: Moment) {
        let ending = Ending.tooLarge(snapshot.settings.limits.maxMessageBytes)
        startRecord(of: session, at: now)
        guard let identity = sessions.read(session, { $0.identity }) else { return }
        record(
            .invalidMessage(
                direction: .fromClient, reason: ending.message, offset: 0,
                length: snapshot.settings.limits.maxMessageBytes),
            session: identity, at: now)
        if peek.isResponse {
            // The answer to a request of the upstream, which waits for it.
            let key = peek.id.isPresent ? JSONText.integer(peek.id, in: head).map(Int64.init) : nil
            if let key { failServerRequest(key, of: session, ending, at: now) }
            return
        }
        let id = peek.id.isPresent ? Lexeme(peek.id, in: head) : .null
        let reply = ErrorReply.bytes(id: id, code: -32603, message: ending.message, data: [("reason", ending.reason)])
        deliver(SplicedMessage(reply), to: session, batch: nil, exchange: .session)
    }

    /// A line of the upstream that the scanner refused. Text that is no JSON at all, as servers print by mistake, is
    /// skipped; no answer is ever sent.
    public mutating func rejected(_ rejection: Rejection, _ line: ByteBuffer, from upstream: UpstreamID, at now: Moment)
    {
        record(
            .invalidMessage(
                direction: .fromUpstream, reason: rejection.reason, offset: rejection.offset,
                length: line.readableBytes),
            session: nil, at: now)
        guard rejection.isResponse, rejection.id.isPresent,
            let id = request(answered: rejection.id, in: line, by: upstream)
        else { return }
        unusable(id, .malformedResult("upstream's answer is malformed: \(rejection.reason)"), at: now)
    }

    /// A message of the upstream beyond `max_message_bytes`: the call that it answers fails at once.
    public mutating func oversize(_ peek: Peek, head: ByteBuffer, from upstream: UpstreamID, at now: Moment) {
        let cap = snapshot.settings.limits.maxMessageBytes
        let ending = Ending.tooLarge(cap)
        record(
            .invalidMessage(direction: .fromUpstream, reason: ending.message, offset: 0, length: cap), session: nil,
            at: now)
        guard !peek.hasMethod, peek.id.isPresent, let id = request(answered: peek.id, in: head, by: upstream) else {
            return
        }
        unusable(id, ending, at: now)
    }

    /// Ends what an answer was for that cannot be used.
    private mutating func unusable(_ id: PendingID, _ ending: Ending, at now: Moment) {
        guard case .own(let own)? = pending.standing(of: id), let upstream = pending[id]?.upstream else {
            return endForwarded(id, ending, at: now)
        }
        remove(id, at: now)
        ownRequestFailed(own, of: upstream, ending.message, at: now)
    }

    /// A batch of a client: its elements, already scanned, in order.
    public mutating func batch(
        _ elements: [(outcome: ScanOutcome, bytes: ByteBuffer)], line: ByteBuffer, from session: SessionID,
        exchange: Exchange = .session, at now: Moment, gate: AuditGate
    ) {
        startRecord(of: session, at: now)
        let refusal: String? =
            if sessions.read(session, { $0.version }) ?? nil != .batching {
                "batches exist only in protocol revision 2025-03-26"
            } else if elements.count > Self.maxBatch {
                "batch holds more than \(Self.maxBatch) messages"
            } else {
                nil
            }
        if let refusal {
            let rejection = Rejection(code: -32600, reason: refusal, offset: 0)
            return invalid(rejection, line, from: session, batch: nil, exchange: exchange, at: now)
        }
        let id = BatchID(number: nextBatch)
        nextBatch += 1
        let answered = elements.count { $0.outcome.wantsAnswer }
        batches[id] = Batch(session: session, exchange: exchange, open: answered)
        for element in elements {
            let wants = element.outcome.wantsAnswer
            switch element.outcome {
            case .message(let scan):
                let message = Message(bytes: element.bytes, scan: scan)
                receive(message, from: session, batch: wants ? id : nil, exchange: exchange, at: now, gate: gate)
            case .rejected(let rejection):
                invalid(
                    rejection, element.bytes, from: session, batch: wants ? id : nil, exchange: exchange, at: now)
            case .batch:
                preconditionFailure("the scanner refuses arrays inside a batch")
            }
        }
        guard var batch = batches.removeValue(forKey: id) else { return }
        batch.isComplete = true
        finish(batch, id)
    }
}

extension ScanOutcome {
    /// Whether an element of a batch is answered: requests, and what could have been one.
    var wantsAnswer: Bool {
        switch self {
        case .message(let scan): scan.kind == .request
        case .rejected(let rejection): !rejection.isResponse
        case .batch: true
        }
    }
}
