internal import JSONRPCWire
internal import NIOCore

/// What comes from the daemon.
extension Bridge {
    /// One line.
    mutating func daemonSent(_ line: ByteBuffer) {
        guard phase == .connected || phase == .replaying else { return }
        isProven = true
        if line.readableBytes > BridgeLimits.peekAbove, passUnread(line) { return }
        switch scanner.scan(line) {
        case .message(let scan): received(scan, line)
        case .batch(let elements):
            for range in elements {
                let (outcome, element) = scanner.scan(element: range, of: line)
                guard case .message(let scan) = outcome, let id = RequestID(scan[.id], in: element) else { continue }
                switch scan.kind {
                case .result, .error: answered(id, scan, element)
                // A request in a batch keeps its id: no revision of MCP has a server ask in one.
                case .request, .notification: continue
                }
            }
            emit(.toClient(SplicedMessage(line)))
        case .rejected(let rejection):
            // Not for us to judge; but whoever waits for it waits no more.
            if rejection.isResponse, let id = RequestID(rejection.id, in: line) { _ = calls.end(id, isError: true) }
            emit(.toClient(SplicedMessage(line)))
        }
    }

    /// The first bytes of a line above ``BridgeLimits/lineBytes``; the rest is skipped.
    mutating func daemonSentOversize(_ head: ByteBuffer) {
        guard phase == .connected || phase == .replaying else { return }
        let peek = scanner.peek(head)
        emit(.note("skipped a message of the daemon above \(BridgeLimits.lineBytes) bytes"))
        guard peek.isResponse, let id = RequestID(peek.id, in: head), ownRequests.removeValue(forKey: id) == nil
        else { return }
        _ = calls.end(id, isError: true)
        refuse(Lexeme(peek.id, in: head), "answer is larger than \(BridgeLimits.lineBytes) bytes", .tooLarge)
    }

    /// Passes a long answer whose first bytes tell what it answers, when nothing in it matters here.
    private mutating func passUnread(_ line: ByteBuffer) -> Bool {
        guard let head = line.getSlice(at: line.readerIndex, length: LineFramer.headByteCount) else { return false }
        let peek = scanner.peek(head)
        guard peek.isResponse, let id = RequestID(peek.id, in: head), ownRequests[id] == nil,
            calls.isPlain(id)
        else { return false }
        _ = calls.end(id, isError: false)
        emit(.toClient(SplicedMessage(line)))
        return true
    }

    private mutating func received(_ scan: MessageScan, _ line: ByteBuffer) {
        var message = SplicedMessage(line)
        switch scan.kind {
        case .request:
            // A scanned request has a readable id.
            guard let id = RequestID(scan[.id], in: line) else { return }
            let lexeme = Lexeme(scan[.id], in: line)
            if serverRequests.mustRename(id) {
                let own = nextOwnID()
                serverRequests.asked(id, lexeme, as: own)
                message.replace(scan[.id], with: own.lexeme)
            } else {
                serverRequests.asked(id, lexeme)
            }
        case .notification:
            if JSONText.equals(scan[.method], "notifications/cancelled", in: line),
                let id = RequestID(scan[.paramsRequestID], in: line), let alias = serverRequests.alias(of: id)
            {
                message.replace(scan[.paramsRequestID], with: alias)
            }
        case .result, .error:
            if let id = RequestID(scan[.id], in: line) {
                if let request = ownRequests.removeValue(forKey: id) { return ownAnswered(request, scan, line) }
                answered(id, scan, line)
            }
        }
        emit(.toClient(message))
    }

    private mutating func answered(_ id: RequestID, _ scan: MessageScan, _ line: ByteBuffer) {
        let effect = calls.end(id, isError: scan.kind == .error)
        let isKept = memory.apply(effect) { Message(bytes: line.compacted(), scan: scan) }
        if !isKept {
            emit(
                .note(
                    "too many subscriptions: those beyond \(BridgeLimits.subscriptions), or "
                        + "\(BridgeLimits.subscriptionBytes) bytes of URIs, end with this connection"))
        }
    }
}
