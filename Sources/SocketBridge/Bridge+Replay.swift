internal import JSONRPCWire
internal import NIOCore

/// Making a new connection into the session that the client has.
extension Bridge {
    /// The attempt succeeded.
    mutating func connected(now: Int) {
        guard phase == .connecting else { return }
        hasConnected = true
        isProven = false
        connectedAt = now
        guard let handshake = memory.handshake else { return open() }
        phase = .replaying
        emit(.wake(after: BridgeLimits.handshake))
        ask(.initialize) { id in
            var message = SplicedMessage(handshake.request.bytes)
            message.replace(handshake.request.scan[.id], with: id)
            return message
        }
    }

    /// The daemon answered a request that the client knows nothing of.
    mutating func ownAnswered(_ request: OwnRequest, _ scan: MessageScan, _ line: ByteBuffer) {
        guard request == .initialize else {
            if scan.kind == .error { emit(.note("\(request.title) could not be restored: \(reason(scan, line))")) }
            return
        }
        guard let handshake = memory.handshake else { return }
        guard scan.kind == .result else {
            // It is there but cannot serve, or not yet: worth another attempt.
            outage.reason = "the daemon refused initialize: \(reason(scan, line))"
            isProven = false
            phase = .hangingUp
            return emit(.disconnect)
        }
        let promised = ServerOffer(handshake.answer)
        let answer = Message(bytes: line, scan: scan)
        if let objection = promised.objection(to: ServerOffer(answer)) {
            emit(.disconnect)
            return fail("\(objection); restart the client to begin a new session")
        }
        resume(promised)
    }

    private mutating func resume(_ promised: ServerOffer) {
        let isInitialized = memory.initialized != nil
        if let initialized = memory.initialized { emit(.toDaemon(SplicedMessage(initialized))) }
        if let level = memory.level {
            ask(.level(level)) { id in Self.request(id, "logging/setLevel", "level", level) }
        }
        for uri in memory.subscriptions {
            ask(.subscribe(uri)) { id in Self.request(id, "resources/subscribe", "uri", uri) }
        }
        emit(.note("connected again; the session goes on"))
        // What the lists hold may have changed while nobody could say so.
        if isInitialized {
            for method in promised.listChanges {
                emit(.toClient(SplicedMessage(ByteBuffer(string: #"{"jsonrpc":"2.0","method":"\#(method)"}"#))))
            }
        }
        open()
    }

    /// Messages pass from now on, first those that waited.
    private mutating func open() {
        phase = .connected
        hasToldOutage = false
        for line in waiting.takeAll() { forward(line) }
        if clientHasEnded { emit(.endDaemonInput) }
    }

    private static func request(_ id: Lexeme, _ method: String, _ name: String, _ value: String) -> SplicedMessage {
        var line = ByteBuffer(string: #"{"jsonrpc":"2.0","id":"#)
        id.write(to: &line)
        line.writeString(#","method":"\#(method)","params":{"\#(name)":"#)
        JSONText.appendQuoted(value, to: &line)
        line.writeString("}}")
        return SplicedMessage(line)
    }

    private func reason(_ scan: MessageScan, _ line: ByteBuffer) -> String {
        JSONText.string(scan[.errorMessage], in: line).map(PrintableText.line) ?? "an error without a message"
    }
}

extension OwnRequest {
    fileprivate var title: String {
        switch self {
        case .initialize: "initialize"
        case .level(let level): "the log level '\(PrintableText.line(level))'"
        case .subscribe(let uri): "the subscription of '\(PrintableText.line(uri))'"
        }
    }
}
