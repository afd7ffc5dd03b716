internal import JSONRPCWire
internal import NIOCore

/// What comes from the client.
extension Bridge {
    /// One line.
    mutating func clientSent(_ line: ByteBuffer) {
        switch phase {
        case .connected: forward(line)
        case .idle, .connecting, .backingOff, .replaying, .hangingUp: hold(line)
        case .farewell: sayFarewell(to: line)
        case .ended: return
        }
    }

    /// The first bytes of a line above ``BridgeLimits/lineBytes``; the rest is skipped.
    mutating func clientSentOversize(_ head: ByteBuffer) {
        let peek = scanner.peek(head)
        emit(.note("skipped a message of the client above \(BridgeLimits.lineBytes) bytes"))
        guard !peek.isResponse else { return }
        refuse(Lexeme(peek.id, in: head), "message is larger than \(BridgeLimits.lineBytes) bytes", .tooLarge)
    }

    /// Sends a line to the daemon, and notes what it changes.
    mutating func forward(_ line: ByteBuffer) {
        switch scanner.scan(line) {
        case .message(let scan): forward(scan, line)
        case .batch(let elements):
            for range in elements {
                let (outcome, element) = scanner.scan(element: range, of: line)
                guard case .message(let scan) = outcome else { continue }
                if scan.kind == .request { begin(scan, element) } else { _ = note(scan, element) }
            }
            emit(.toDaemon(SplicedMessage(line)))
        case .rejected(let rejection):
            // The daemon refuses it too, and says why; it owes an answer where it can read the id.
            if !rejection.isResponse, let id = RequestID(rejection.id, in: line) {
                calls.begin(id, Lexeme(rejection.id, in: line), .nothing)
            }
            emit(.toDaemon(SplicedMessage(line)))
        }
    }

    private mutating func forward(_ scan: MessageScan, _ line: ByteBuffer) {
        var message = SplicedMessage(line)
        if scan.kind == .request {
            guard !calls.isFull else {
                let reason = "more than \(BridgeLimits.calls) requests in flight"
                return refuse(Lexeme(scan[.id], in: line), reason, .overloaded)
            }
            begin(scan, line)
        } else {
            switch note(scan, line) {
            case .late: return
            case .rename(let original): message.replace(scan[.id], with: original)
            case .pass, .unknown: break
            }
        }
        emit(.toDaemon(message))
    }

    private mutating func begin(_ scan: MessageScan, _ line: ByteBuffer) {
        // A scanned request has a readable id.
        guard let id = RequestID(scan[.id], in: line) else { return }
        calls.begin(id, Lexeme(scan[.id], in: line), SessionMemory.effect(of: scan, in: line))
    }

    /// Notes a notification or an answer; what to do with the latter.
    private mutating func note(_ scan: MessageScan, _ line: ByteBuffer) -> ServerRequests.Answer {
        switch scan.kind {
        case .request: return .pass
        case .notification:
            if JSONText.equals(scan[.method], "notifications/initialized", in: line) {
                memory.initialized = line.compacted()
            } else if JSONText.equals(scan[.method], "notifications/cancelled", in: line),
                let id = RequestID(scan[.paramsRequestID], in: line)
            {
                calls.cancel(id)
            }
            return .pass
        case .result, .error:
            guard let id = RequestID(scan[.id], in: line) else { return .unknown }
            return serverRequests.answered(id)
        }
    }

    /// Keeps a line until there is a daemon.
    private mutating func hold(_ line: ByteBuffer) {
        if case .message(let scan) = scanner.scan(line), scan.kind == .result || scan.kind == .error {
            return answer(scan, line)
        }
        guard !waiting.append(line) else { return }
        let reason =
            "no daemon, and more than \(BridgeLimits.waitingLines) messages or \(BridgeLimits.waitingBytes) bytes wait"
        var isRequest = false
        forEachRequest(in: line) { bridge, id, _ in
            isRequest = true
            bridge.refuse(id, reason, .overloaded)
        }
        if !isRequest { emit(.note("dropped a notification of the client: \(reason)")) }
    }

    /// An answer cannot wait: it belongs to this connection or to none.
    private mutating func answer(_ scan: MessageScan, _ line: ByteBuffer) {
        let answer = note(scan, line)
        guard phase == .replaying else { return }
        switch answer {
        case .pass: emit(.toDaemon(SplicedMessage(line)))
        case .rename(let original):
            var message = SplicedMessage(line)
            message.replace(scan[.id], with: original)
            emit(.toDaemon(message))
        case .late, .unknown: return
        }
    }
}
