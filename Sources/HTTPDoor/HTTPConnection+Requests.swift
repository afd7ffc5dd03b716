internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import MCPRouting
internal import NIOCore
internal import NIOHTTP1

/// The way of a request: head → path and method → admission → session → body → scan → session's exchange → gateway.
extension HTTPConnection {
    /// Decides about a request by its head.
    func begin(_ head: HTTPRequestHead) {
        let length = head.headers.first(name: "content-length").flatMap(Int.init)
        let expectsContinue = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
        let isChunked = head.headers.contains(name: "transfer-encoding")
        let isSmall = !isChunked && !expectsContinue && (length ?? 0) <= 64 * 1024
        switch request(head, length: length) {
        case .success(let request):
            enter(.reading(request))
            if expectsContinue { writeContinue() }
        case .failure(let ending):
            if let reason = ending.reason { door.refused(peerAddress, reason, ending.detail) }
            refuse(ending.response, bodyIsSmall: isSmall)
        }
    }

    /// Why a request goes no further.
    private struct Ending: Error {
        var response: HTTPResponse
        /// What the audit is told; nil for what is no offence.
        var reason: String?
        var detail: String?

        init(_ response: HTTPResponse, _ reason: String? = nil) {
            self.response = response
            self.reason = reason
        }

        init(_ refusal: HTTPRefusal) {
            response = HTTPResponse(refusal)
            reason = refusal.reason
            detail = refusal.detail
        }
    }

    private func request(_ head: HTTPRequestHead, length: Int?) -> Result<HTTPRequest, Ending> {
        guard head.version == .http1_1 else {
            var response = HTTPResponse.error(.versionNotSupported, "only HTTP/1.1 is spoken here")
            response.closes = true
            return .failure(Ending(response, "http_version"))
        }
        let fields = RequestHead(
            method: head.method.rawValue, target: head.uri, fields: head.headers.lazy.map { ($0.name, $0.value) })
        if fields.path == "/healthz" || fields.path == "/readyz" {
            return .failure(Ending(door.health(fields.path, head.method)))
        }
        pageFields = fields.origin == nil ? [] : door.rules.readable(fields)
        if let preflight = door.rules.preflight(fields) {
            switch preflight {
            case .success(let headers): return .failure(Ending(HTTPResponse(status: .noContent, headers: headers)))
            case .failure(let refusal): return .failure(Ending(refusal))
            }
        }
        let identity: HTTPIdentity
        switch admit(fields) {
        case .success(let admitted): identity = admitted
        case .failure(let refusal): return .failure(Ending(refusal))
        }
        guard !door.isDraining, door.gateway.isServing else {
            return .failure(Ending(Self.shuttingDown))
        }
        let method: HTTPRequest.Method =
            switch head.method {
            case .POST: .post
            case .DELETE: .delete
            default: .get
            }
        return session(fields.sessionID, identity, method).flatMap { session in
            let limit = door.limits.maxBodyBytes
            if let length, length > limit {
                return .failure(Ending(Self.tooLarge(limit), "body_too_large"))
            }
            guard door.bodyBytes + (length ?? 0) <= door.limits.maxBodyBytesInAll else {
                return .failure(Ending(Self.busy))
            }
            let last = fields.lastEventID.flatMap { EventID($0) }
            return .success(HTTPRequest(method: method, identity: identity, session: session, lastEvent: last))
        }
    }

    private static let shuttingDown = HTTPResponse.error(.unavailable, code: -32603, "gateway is shutting down")

    private static let busy = HTTPResponse.error(.unavailable, code: -32603, "too many large requests at once")

    private static func tooLarge(_ limit: Int) -> HTTPResponse {
        var response = HTTPResponse.error(
            .contentTooLarge, code: -32603, "message is larger than \(limit) bytes (max_message_bytes)")
        response.closes = true
        return response
    }

    /// The session that a request names, which only its owner may use; nil when it may come without.
    private func session(
        _ key: String?, _ identity: HTTPIdentity, _ method: HTTPRequest.Method
    ) -> Result<HTTPSession?, Ending> {
        guard let key else {
            guard method != .post else { return .success(nil) }
            return .failure(
                Ending(
                    HTTPRefusal(status: .badRequest, message: "Mcp-Session-Id is missing", reason: "no_session")))
        }
        // Somebody else's session does not exist either, or it could be probed for.
        guard let session = door.sessions[key], session.owner == identity else {
            return .failure(
                Ending(
                    HTTPRefusal(
                        status: .notFound, code: -32001, message: "session is unknown or has ended: send initialize",
                        reason: "unknown_session")))
        }
        return .success(session)
    }

    /// A part of a body has come.
    func checkBody(_ request: HTTPRequest) {
        let limit = door.limits.maxBodyBytes
        if request.body.readableBytes > limit {
            door.refused(peerAddress, "body_too_large")
            refuse(Self.tooLarge(limit), bodyIsSmall: false)
        } else if door.bodyBytes > door.limits.maxBodyBytesInAll {
            refuse(Self.busy, bodyIsSmall: false)
        }
    }

    /// A request is complete.
    func handle(_ request: HTTPRequest) {
        switch (request.method, request.session) {
        case (.post, let session): post(request, session)
        case (.get, let session?):
            guard let role = session.open(self, after: request.lastEvent) else {
                let most = door.limits.maxStreamsPerSession
                return respond(.error(.tooManyRequests, "session has \(most) GET streams already"))
            }
            if case .answering = phase { self.role = role }
        case (.delete, let session?):
            if let id = session.id { door.gateway.sessionEnded(by: id) }
            respond(HTTPResponse(status: .ok))
        case (.get, nil), (.delete, nil):
            preconditionFailure("a GET or DELETE without a session was let in")
        }
    }

    private func post(_ request: HTTPRequest, _ session: HTTPSession?) {
        let connection = self
        door.gateway.scan(body: request.body) { outcome in
            guard let session else { return connection.first(outcome, request) }
            let isTaken = session.whenReading(request.body.readableBytes) {
                connection.take(outcome, request.body, session)
            }
            guard !isTaken else { return }
            connection.respond(.error(.unavailable, code: -32603, "too many requests wait for the upstream"))
        }
    }

    // MARK: - With a session

    private func take(_ outcome: ScanOutcome, _ body: ByteBuffer, _ session: HTTPSession) {
        // The session may have ended while the body came, or while it was held.
        guard let id = session.id, door.sessions[session.key] === session else {
            guard door.gateway.isServing else { return respond(Self.shuttingDown) }
            return respond(.error(.notFound, code: -32001, "session is unknown or has ended: send initialize"))
        }
        guard isAnswering else { return }
        var line = body
        switch outcome {
        case .message(let scan):
            ServerSentEvent.blankLineBreaks(in: &line, from: line.readerIndex)
            guard scan.kind == .request else {
                door.gateway.receive(outcome, line, from: id, exchange: .session)
                return respond(HTTPResponse(status: .accepted))
            }
            start(.requests, outcome, line, session, id)
        case .batch:
            ServerSentEvent.blankLineBreaks(in: &line, from: line.readerIndex)
            start(.batch, outcome, line, session, id)
        case .rejected(let rejection):
            guard !rejection.isResponse else {
                door.gateway.receive(outcome, line, from: id, exchange: .session)
                return respond(.error(.badRequest, code: rejection.code, rejection.reason))
            }
            start(.requests, outcome, line, session, id, status: .badRequest)
        }
    }

    private var isAnswering: Bool {
        if case .answering = phase { true } else { false }
    }

    private func start(
        _ kind: HTTPExchange.Kind, _ outcome: ScanOutcome, _ line: ByteBuffer, _ session: HTTPSession, _ id: SessionID,
        status: HTTPStatus = .ok
    ) {
        let exchange = session.begin(kind, status: status, on: self)
        role = .exchange(session, exchange)
        door.gateway.receive(outcome, line, from: id, exchange: exchange.id)
    }

    // MARK: - Without a session

    /// Only `initialize` may come without one.
    private func first(_ outcome: ScanOutcome, _ request: HTTPRequest) {
        guard isAnswering else { return }
        switch outcome {
        case .rejected(let rejection):
            door.refused(peerAddress, "bad_message", rejection.reason)
            let id = rejection.id.isPresent ? Lexeme(rejection.id, in: request.body) : .null
            respond(.error(.badRequest, code: rejection.code, rejection.reason, id: id))
        case .message(let scan)
        where scan.kind == .request && JSONText.equals(scan[.method], "initialize", in: request.body):
            open(outcome, request)
        case .message(let scan):
            door.refused(peerAddress, "no_session")
            let id = scan.kind == .request ? Lexeme(scan[.id], in: request.body) : .null
            respond(.error(.badRequest, "Mcp-Session-Id is missing", id: id))
        case .batch:
            door.refused(peerAddress, "no_session")
            respond(.error(.badRequest, "Mcp-Session-Id is missing"))
        }
    }

    private func open(_ outcome: ScanOutcome, _ request: HTTPRequest) {
        let session = HTTPSession(owner: request.identity, door: door)
        let identity = SessionIdentity(
            sessionID: SessionKey.mintAuditID(), transport: "http",
            peer: request.identity.name.map { "\(peer) token=\($0)" } ?? peer, clientName: nil, clientVersion: nil)
        guard let id = door.gateway.connect(identity, session) else {
            let reason = door.gateway.refuseConnection(identity)
            return respond(.error(.unavailable, code: -32603, reason))
        }
        session.id = id
        door.sessions[session.key] = session
        var line = request.body
        ServerSentEvent.blankLineBreaks(in: &line, from: line.readerIndex)
        start(.initialize, outcome, line, session, id)
    }
}
