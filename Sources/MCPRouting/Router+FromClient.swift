internal import GatewayConfiguration
public import GatewayEvents
public import JSONRPCWire
internal import NIOCore
internal import ToolPolicy

/// A client's message on its way in, with what each step has learnt of it.
final class Incoming {
    let session: SessionID
    var identity: SessionIdentity
    /// What a policy may have rewritten.
    var message: Message
    let id: Lexeme
    let key: RequestID
    let method: MethodName
    let call: AuditEvent.Call
    let batch: BatchID?
    let exchange: Exchange

    init(
        session: SessionID, identity: SessionIdentity, message: Message, id: Lexeme, key: RequestID,
        method: MethodName, call: AuditEvent.Call, batch: BatchID?, exchange: Exchange
    ) {
        self.session = session
        self.identity = identity
        self.message = message
        self.id = id
        self.key = key
        self.method = method
        self.call = call
        self.batch = batch
        self.exchange = exchange
    }
}

extension Router {
    /// The way of a client's message: session → admit under the snapshot → policy → audit REQUEST → id map → upstream.
    /// Line doors leave `exchange` alone; then an id in flight is refused. In an exchange an id may be in flight that
    /// also is in others.
    public mutating func receive(
        _ message: Message, from session: SessionID, exchange: Exchange = .session, at now: Moment, gate: AuditGate
    ) {
        receive(message, from: session, batch: nil, exchange: exchange, at: now, gate: gate)
    }

    mutating func receive(
        _ message: Message, from session: SessionID, batch: BatchID?, exchange: Exchange, at now: Moment,
        gate: AuditGate
    ) {
        switch message.scan.kind {
        case .request: request(message, from: session, batch: batch, exchange: exchange, at: now, gate: gate)
        case .notification: notification(message, from: session, at: now, gate: gate)
        case .result, .error: serverRequestAnswered(message, by: session, at: now)
        }
    }

    private mutating func request(
        _ message: Message, from session: SessionID, batch: BatchID?, exchange: Exchange, at now: Moment,
        gate: AuditGate
    ) {
        guard let incoming = incoming(message, from: session, batch: batch, exchange: exchange) else {
            return invalid(
                Rejection(code: -32600, reason: "request id is longer than the gateway takes", offset: 0),
                message.bytes, from: session, batch: batch, exchange: exchange, at: now)
        }
        guard let newest = sessions.read(session, { $0.inFlight[incoming.key] }) else { return }
        guard newest == nil || exchange != .session && !isInFlight(incoming.key, exchange, of: session) else {
            return invalid(
                Rejection(
                    code: -32600, reason: "request id is already in flight", offset: 0, id: message.scan[.id]),
                message.bytes, from: session, batch: batch, exchange: exchange, at: now)
        }
        if message.hasEnvelope { incoming.identity = name(session, by: message) }
        if incoming.method.known != .initialize { startRecord(of: session, at: now) }
        admit(incoming, at: now, gate: gate)
    }

    /// Audit gate, then policies, then the record; only then anything happens.
    private mutating func admit(_ incoming: Incoming, at now: Moment, gate: AuditGate) {
        if let reason = gate(snapshot, incoming.call.method, incoming.call.tool) {
            if incoming.method.known == .ping {
                return deliver(
                    Reply.empty(id: incoming.id), to: incoming.session, batch: incoming.batch,
                    exchange: incoming.exchange)
            }
            return refuse(
                incoming, code: -32005, "audit unavailable: \(reason)", data: [("reason", "audit_unavailable")])
        }
        let verdict = snapshot.policies.admit(
            PolicyRequest(
                message: incoming.message, method: incoming.method.text,
                isToolCall: incoming.method.known == .toolsCall, tool: incoming.call.tool))
        switch verdict {
        case .refused(let refusal):
            record(.securityBlock(incoming.call, refusal.block), session: incoming.identity, at: now)
            refuse(
                incoming, code: -32000, refusal.clientMessage,
                data: [("reason", refusal.reason), ("plugin", refusal.plugin)])
        case .allowed(let message, let plugin):
            incoming.message = message
            if incoming.method.known == .initialize, !incoming.message.hasEnvelope {
                initialize(incoming, plugin: plugin, at: now)
            } else {
                record(.request(incoming.call, plugin: plugin), session: incoming.identity, at: now)
                route(incoming, at: now)
            }
        }
    }

    /// What the gateway answers itself, and what goes to the upstream.
    private mutating func route(_ incoming: Incoming, at now: Moment) {
        guard let phase = sessions.read(incoming.session, { $0.phase }) else { return }
        if phase == .modern || incoming.message.hasEnvelope {
            return routeModern(incoming, phase, at: now)
        }
        switch incoming.method.known {
        case .ping:
            answer(incoming, Reply.empty(id: incoming.id), at: now)
        case .discover:
            // Without an envelope it is no message of the modern era: an old server's answer.
            fail(incoming, code: -32601, "method not found: server/discover", at: now)
        default:
            guard phase != .fresh else {
                return fail(incoming, code: -32600, "session is not initialized: send initialize first", at: now)
            }
            switch incoming.method.known {
            case .setLevel, .subscribe, .unsubscribe:
                bookkeep(incoming, isReady: phase != .initializing, at: now)
            default:
                // A client that does not wait for the answer to initialize has its requests wait in line behind it.
                forward(incoming, effect: .none, at: now)
            }
        }
    }

    /// What depends on the upstream's capabilities cannot be decided before its handshake.
    private mutating func bookkeep(_ incoming: Incoming, isReady: Bool, at now: Moment) {
        guard isReady else {
            return fail(
                incoming, code: -32600, "session is not initialized: wait for the answer to initialize", at: now)
        }
        switch incoming.method.known {
        case .setLevel: setLevel(incoming, at: now)
        case .subscribe: subscribe(incoming, at: now)
        default: unsubscribe(incoming, at: now)
        }
    }

    /// Gives a request our id and progress token, and a place in the table until it has ended.
    /// Whether it was forwarded; otherwise it was refused.
    @discardableResult
    mutating func forward(_ incoming: Incoming, effect: Pending.Effect, at now: Moment) -> Bool {
        let limit = snapshot.settings.limits.maxPendingPerSession
        guard
            // Cancelled requests count for as long as the upstream may work on them.
            let (upstream, open) = sessions.read(
                incoming.session, { ($0.upstream, max($0.openCount, $0.working)) }),
            let upstream
        else { return false }
        guard open < limit, !pending.isFullForClients else {
            fail(incoming, .overloaded("max_pending_per_session is \(limit)"), at: now)
            return false
        }
        if incoming.method.known == nil, incoming.method.text.hasPrefix("tasks/"), namesNoSession(upstream) {
            fail(
                incoming, code: -32601,
                "method not found: \(incoming.method.text) (tasks are not offered where sessions share a process)",
                at: now)
            return false
        }
        if case .failed(let detail)? = upstreams.read(upstream, { $0.phase }) {
            fail(incoming, .upstreamUnavailable(detail), at: now)
            return false
        }
        let token = incoming.message.scan[.metaProgressToken]
        let id = insert(
            incoming, upstream: upstream, token: token.isPresent ? Lexeme(token, in: incoming.message.bytes) : nil,
            effect: effect, at: now)
        dispatch(.request(id, incoming.message), of: incoming.session, to: upstream, at: now)
        return true
    }

    /// Whether tasks (2025-11-25, basic/utilities/tasks) of an upstream could be anybody's: their ids and lists name no
    /// session.
    func namesNoSession(_ upstream: UpstreamID) -> Bool {
        isShared(upstream) && upstreams.read(upstream) { $0.era } == .legacy
    }

    /// Puts a client's request into the table.
    mutating func insert(
        _ incoming: Incoming, upstream: UpstreamID, token: Lexeme?, effect: Pending.Effect, at now: Moment
    ) -> PendingID {
        let request = snapshot.settings.timeouts.request.nanoseconds
        let isListen = if case .listen = effect { true } else { false }
        let timeout = isListen ? .max : request
        let id = pending.insert(
            Pending(
                owner: .client(incoming.session), era: incoming.message.hasEnvelope ? .modern : .legacy,
                id: incoming.id, key: incoming.key, token: token, call: incoming.call,
                snapshot: snapshot, identity: incoming.identity,
                admitted: now.monotonic, upstream: upstream, batch: incoming.batch,
                exchange: incoming.exchange, isReviewed: snapshot.policies.reviewsResults(of: incoming.method.text),
                effect: effect, stage: .waiting,
                timeout: timeout, hardDeadline: isListen ? .max : now.monotonic + 10 * request),
            now: now.monotonic)
        sessions.update(incoming.session) { $0.begin(id, incoming.key) }
        upstreams.update(upstream) {
            $0.inFlight += 1
            if isListen { $0.listens += 1 }
        }
        guard !isListen else { return id }
        // The last entry is the current generation's.
        generations[generations.count - 1].calls += 1
        return id
    }

    private func isInFlight(_ key: RequestID, _ exchange: Exchange, of session: SessionID) -> Bool {
        let open = sessions.read(session) { $0.requests(of: key) } ?? []
        return open.contains { id in pending.read(id) { $0.exchange == exchange } ?? false }
    }

    private func incoming(
        _ message: Message, from session: SessionID, batch: BatchID?, exchange: Exchange
    ) -> Incoming? {
        let range = message.scan[.id]
        guard let key = RequestID(range, in: message.bytes),
            let identity = sessions.read(session, { $0.identity })
        else { return nil }
        let id = Lexeme(range, in: message.bytes)
        let method = MethodName(of: message)
        let tool = method.known == .toolsCall ? message.string(.paramsName) : nil
        return Incoming(
            session: session, identity: identity, message: message, id: id, key: key, method: method,
            call: AuditEvent.Call(
                requestID: id.display, method: method.text, tool: tool,
                params: snapshot.recordsParams ? message.slice(.params) : nil),
            batch: batch, exchange: exchange)
    }

    // MARK: - Answers without the upstream

    /// Ends an admitted request with our own result.
    mutating func answer(_ incoming: Incoming, _ reply: SplicedMessage, at now: Moment) {
        record(
            .response(incoming.call, AuditEvent.Outcome(duration: 0)), session: incoming.identity, at: now)
        deliver(reply, to: incoming.session, batch: incoming.batch, exchange: incoming.exchange)
    }

    /// Ends an admitted request with a JSON-RPC error of ours.
    mutating func fail(_ incoming: Incoming, code: Int, _ message: String, at now: Moment) {
        let failure = AuditEvent.Failure(code: code, message: message)
        record(
            .response(incoming.call, AuditEvent.Outcome(duration: 0, failure: failure)), session: incoming.identity,
            at: now)
        refuse(incoming, code: code, message, data: [])
    }

    /// Ends an admitted request that was not forwarded.
    mutating func fail(_ incoming: Incoming, _ ending: Ending, at now: Moment) {
        let failure = AuditEvent.Failure(
            code: -32603, message: "not forwarded: \(ending.message)", reason: ending.reason)
        record(
            .response(incoming.call, AuditEvent.Outcome(duration: 0, failure: failure)), session: incoming.identity,
            at: now)
        refuse(incoming, code: -32603, ending.message, data: [("reason", ending.reason)])
    }

    /// Sends an error without a record.
    private mutating func refuse(
        _ incoming: Incoming, code: Int, _ message: String, data: [(String, String)]
    ) {
        let reply = ErrorReply.bytes(id: incoming.id, code: code, message: message, data: data)
        deliver(SplicedMessage(reply), to: incoming.session, batch: incoming.batch, exchange: incoming.exchange)
    }
}

extension Refusal {
    /// The refusal as the audit records it.
    var block: AuditEvent.Block {
        AuditEvent.Block(plugin: plugin, reason: reason, summary: summary, metadata: [("mode", mode)])
    }
}
