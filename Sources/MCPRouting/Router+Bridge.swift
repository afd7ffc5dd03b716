internal import EraTranslation
internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import NIOCore

/// Requests whose client and upstream are of different eras, and their results. What is in another era in which way is
/// for `EraTranslation` to know.
extension Router {
    /// Hands a client's request to an upstream of the other era.
    mutating func releaseBridged(
        _ number: PendingID, _ request: Pending, _ message: Message, to id: UpstreamID, at now: Moment
    ) {
        request.isBridged = true
        if case .listen(let listening) = request.effect {
            return bridgeListen(number, request, listening, to: id, at: now)
        }
        let isForeign =
            request.era == .modern
            ? ModernProtocol.isModernOnly(request.call.method) : ModernProtocol.isLegacyOnly(request.call.method)
        guard !isForeign else { return fail(number, .methodNotFound(request.call.method), at: now) }
        do throws(ProtocolError) {
            if request.era == .modern {
                try releaseToLegacy(number, request, message, to: id, at: now)
            } else {
                releaseToModern(number, request, message, to: id)
            }
        } catch {
            fail(number, error, at: now)
        }
    }

    /// A modern client's request without its envelope. A retry is no new call: it continues the one that is held open.
    private mutating func releaseToLegacy(
        _ number: PendingID, _ request: Pending, _ message: Message, to id: UpstreamID, at now: Moment
    ) throws(ProtocolError) {
        let envelope = try RequestEnvelope(of: message)
        // Answers without a state belong to nothing: the call is a new one, and its upstream asks again (mrtr, "Error
        // Handling").
        if ModernProtocol.mayNeedInput(request.call.method), let state = try InputResponses.requestState(of: message) {
            return try continueHeld(number, request, message, state: state, at: now)
        }
        if let wanted = envelope.logLevel, let session = request.session {
            let isNews = sessions.update(session) { state in
                guard state.level.map({ wanted < $0 }) ?? true else { return false }
                state.level = wanted
                return true
            }
            if isNews == true { adjustLevel(of: id, at: now) }
            request.logLevel = wanted
            upstreams.update(id) { _ = $0.loggers.insert(number) }
        }
        request.declared = envelope.features
        if ModernProtocol.mayNeedInput(request.call.method), !envelope.features.isEmpty { keep(message, for: request) }
        let token = request.token == nil ? nil : Lexeme(integer: number.number)
        var splices = RequestEnvelope.stripped(from: message, progressToken: token)
        splices.replace(message.scan[.id], with: Lexeme(integer: number.number))
        send(splices.applied(to: message.bytes), number, request, to: id)
    }

    /// A legacy client's request with the envelope of its session.
    private mutating func releaseToModern(
        _ number: PendingID, _ request: Pending, _ message: Message, to id: UpstreamID
    ) {
        guard let session = request.session, let envelope = sessions.read(session, { $0.stampedEnvelope }) else {
            return
        }
        if ModernProtocol.mayNeedInput(request.call.method) { keep(message, for: request) }
        let token = request.token == nil ? nil : Lexeme(integer: number.number)
        var splices = envelope.stamped(on: message, progressToken: token)
        splices.replace(message.scan[.id], with: Lexeme(integer: number.number))
        upstreams.update(id) { _ = $0.loggers.insert(number) }
        send(splices.applied(to: message.bytes), number, request, to: id)
    }

    private mutating func send(_ message: SplicedMessage, _ number: PendingID, _ request: Pending, to id: UpstreamID) {
        request.stage = .forwarded
        if let session = request.session { beginWork(of: session, on: id) }
        actions.append(.forward(id, message))
    }

    /// How much of a session's requests is kept at most, in bytes. Beyond, a request goes on, but nothing can be asked
    /// during it.
    static var mostKept: Int { 64 << 20 }

    /// Keeps a client's message for as long as its request is in the table.
    mutating func keep(_ message: Message, for request: Pending) {
        guard let session = request.session else { return }
        let size = message.bytes.readableBytes
        let fits = sessions.update(session) { state in
            guard state.keptBytes + size <= Self.mostKept else { return false }
            state.keptBytes += size
            return true
        }
        if fits == true { request.original = message }
    }

    /// A message is needed no more.
    mutating func release(originalOf request: Pending) {
        guard let original = request.original, let session = request.session else { return }
        request.original = nil
        sessions.update(session) { $0.keptBytes -= original.bytes.readableBytes }
    }

    /// Ends a request with an error that translation has found.
    mutating func fail(_ number: PendingID, _ error: ProtocolError, at now: Moment) {
        guard let request = pending[number] else { return }
        if let detail = error.detail { actions.append(.log(.warning("\(detail)"))) }
        let text = error.detail ?? error.message
        conclude(request, AuditEvent.Failure(code: error.code, message: text), result: nil, at: now)
        remove(number, at: now)
        deliver(SplicedMessage(error.reply(to: request.id)), to: request, at: now)
    }

    // MARK: - Answers

    /// An upstream's answer in the client's era, and under the client's id. The request has left the table.
    func bridgedReply(_ message: Message, to request: Pending) -> SplicedMessage {
        var splices: Splices
        switch (request.era, message.scan.kind) {
        case (.modern, .result):
            let info = upstreams.read(request.upstream) { $0.handshake?.serverInfo } ?? nil
            splices = ResultTranslation.toModern(message, method: request.call.method, serverInfo: info)
        case (.modern, _): splices = ErrorTranslation.toModern(message)
        case (.legacy, .result): splices = ResultTranslation.toLegacy(message)
        case (.legacy, _): splices = Splices()
        }
        splices.replace(message.scan[.id], with: request.id)
        return splices.applied(to: message.bytes)
    }

    // MARK: - Handshakes

    /// A discover result from a legacy upstream's handshake.
    func discoverReply(_ handshake: Handshake, to id: Lexeme) -> SplicedMessage {
        guard handshake.version.era == .legacy else { return handshake.discoverReply(to: id) }
        do throws(ProtocolError) {
            let result = try HandshakeTranslation.discoverResult(
                fromInitialize: handshake.result, supportedVersions: [ModernProtocol.version])
            return Reply.result(id: id, result)
        } catch {
            return SplicedMessage(error.reply(to: id))
        }
    }

    /// An initialize result from what an upstream of either era said.
    func initializeReply(
        _ handshake: Handshake, to id: Lexeme, telling version: ProtocolVersion, isShared: Bool
    ) -> SplicedMessage {
        guard handshake.version.era == .modern else {
            return handshake.initializeReply(to: id, telling: version, isShared: isShared)
        }
        do throws(ProtocolError) {
            let result = try HandshakeTranslation.initializeResult(
                fromDiscover: handshake.result, version: version.text, fallbackServerInfo: ownInfo)
            return Reply.result(id: id, result)
        } catch {
            return SplicedMessage(error.reply(to: id))
        }
    }
}
