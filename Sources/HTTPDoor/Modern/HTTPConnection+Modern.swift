internal import EraTranslation
internal import Gateway
internal import GatewayEvents
internal import JSONRPCWire
internal import MCPRouting
internal import NIOCore

/// The way of a modern POST: headers against body → peer → parameter headers → exchange → gateway.
extension HTTPConnection {
    /// Whether a message that names no session belongs to the modern era: by its envelope, or by a version that no legacy
    /// client speaks.
    func isModern(_ scan: MessageScan, _ request: HTTPRequest) -> Bool {
        scan[.metaProtocolVersion].isPresent || request.speaksNoLegacy
    }

    func modern(_ scan: MessageScan, _ request: HTTPRequest) {
        var line = request.body
        ServerSentEvent.blankLineBreaks(in: &line, from: line.readerIndex)
        let message = Message(bytes: line, scan: scan)
        do throws(ProtocolError) {
            try check(message, request)
        } catch {
            return refuse(error, message)
        }
        guard scan.kind == .request || scan.kind == .notification else {
            door.refused(peerAddress, "unasked_answer")
            return respond(.error(.badRequest, "nothing was asked of this client: send requests and notifications"))
        }
        // The id of another POST means nothing here: a request is cancelled by closing its connection.
        let isCancellation = JSONText.equals(scan[.method], "notifications/cancelled", in: line)
        guard scan.kind == .request || !isCancellation else { return respond(HTTPResponse(status: .accepted)) }
        guard let peer = door.peer(for: message, from: self, request.identity), let id = peer.id else {
            return respond(.error(.unavailable, code: -32603, "too many sessions (max_sessions)", id: replyID(message)))
        }
        do throws(ProtocolError) {
            try checkParameters(message, request, id)
        } catch {
            return refuse(error, message)
        }
        let isTaken = peer.whenReading(line.readableBytes) { [self] in take(message, peer) }
        guard !isTaken else { return }
        respond(
            .error(.unavailable, code: -32603, "too many requests wait for the upstream", id: replyID(message)))
    }

    /// Body and headers have to agree before anything else is looked at.
    private func check(_ message: Message, _ request: HTTPRequest) throws(ProtocolError) {
        if !message.scan[.metaProtocolVersion].isPresent, let version = request.headers?.protocolVersion,
            version != ModernProtocol.version
        {
            throw .unsupportedVersion(version, supported: [ModernProtocol.version])
        }
        try request.headers?.check(message)
        guard message.scan.kind == .request, message.scan[.metaProtocolVersion].isPresent else { return }
        // Everything else that is wrong with an envelope has its status too.
        _ = try RequestEnvelope(of: message)
    }

    /// Arguments that the tool's schema has in headers too.
    private func checkParameters(_ message: Message, _ request: HTTPRequest, _ id: SessionID) throws(ProtocolError) {
        guard let headers = request.headers, JSONText.equals(message.scan[.method], "tools/call", in: message.bytes),
            message.scan[.paramsName].isPresent,
            let tool = JSONText.string(message.scan[.paramsName], in: message.bytes)
        else { return }
        try door.gateway.parameterHeaders(of: tool, for: id)?.check(headers, against: message)
    }

    private func refuse(_ error: ProtocolError, _ message: Message) {
        door.refused(peerAddress, error.code == -32020 ? "header_mismatch" : "bad_envelope", error.message)
        let status = error.httpStatus.flatMap(HTTPStatus.init(rawValue:)) ?? .badRequest
        respond(HTTPResponse(status: status, contentType: "application/json", body: error.reply(to: replyID(message))))
    }

    private func replyID(_ message: Message) -> Lexeme {
        message.scan.kind == .request ? Lexeme(message.scan[.id], in: message.bytes) : .null
    }

    private func take(_ message: Message, _ peer: ModernPeer) {
        guard let id = peer.id, !peer.hasEnded else {
            return respond(.error(.unavailable, code: -32603, "the gateway has ended this client's requests"))
        }
        guard isAnswering else { return }
        guard message.scan.kind == .request else {
            door.gateway.receive(.message(message.scan), message.bytes, from: id, exchange: .session)
            return respond(HTTPResponse(status: .accepted))
        }
        let exchange = peer.begin(on: self)
        role = .exchange(peer, exchange)
        door.gateway.receive(.message(message.scan), message.bytes, from: id, exchange: exchange.id)
    }
}
