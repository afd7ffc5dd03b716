internal import JSONRPCWire
internal import NIOCore

/// The connection's end, and the attempts to get another one.
extension Bridge {
    /// The connection is gone, whoever closed it; what it brought was reported before.
    mutating func daemonLost(now: Int) {
        guard phase == .connected || phase == .replaying || phase == .hangingUp else { return }
        let wasSound = isProven || (phase == .connected && now - connectedAt >= BridgeLimits.soundAfter)
        if !wasSound, phase != .hangingUp { outage.reason = "it accepted the connection and closed it" }
        ownRequests.removeAll()
        let lost = settle()
        let unanswered = serverRequests.connectionLost()
        outage.begin(at: now, isNew: wasSound)
        if clientHasEnded, waiting.isEmpty { return finish(code: lost == 0 ? 0 : 1) }
        for id in unanswered { cancel(id) }
        if !hasToldOutage {
            hasToldOutage = true
            emit(.note("lost the daemon, \(lost) requests in flight; looking for it for \(seconds)"))
        }
        retry(now: now)
    }

    /// The attempt failed, and why: where it looked.
    mutating func connectFailed(_ reason: String, now: Int) {
        guard phase == .connecting else { return }
        outage.reason = reason
        if clientHasEnded, waiting.isEmpty { return hasConnected ? finish(code: 0) : giveUp() }
        if !hasToldOutage, outage.patience > 0 {
            hasToldOutage = true
            emit(.note("no daemon (\(reason)); looking for one for \(seconds)"))
        }
        retry(now: now)
    }

    /// The time that ``BridgeAction/wake(after:)`` asked for is over.
    mutating func woke() {
        switch phase {
        case .backingOff:
            phase = .connecting
            emit(.connect)
        case .replaying:
            emit(.disconnect)
            fail("the daemon did not answer initialize within \(BridgeLimits.handshake / 1000) s")
        case .farewell: finish(code: 1)
        case .idle, .connecting, .connected, .hangingUp, .ended: return
        }
    }

    /// End of input. What is in flight is waited for.
    mutating func clientEnded() {
        guard !clientHasEnded else { return }
        clientHasEnded = true
        switch phase {
        case .connected: emit(.endDaemonInput)
        case .farewell: finish(code: 1)
        case .connecting, .replaying, .hangingUp, .backingOff:
            guard waiting.isEmpty else { return }
            if hasConnected {
                finish(code: 0)
            } else if phase == .backingOff {
                giveUp()
            }
        case .idle, .ended: return
        }
    }

    /// Nobody takes what we write any more.
    mutating func clientGone() {
        guard phase != .ended else { return }
        finish(code: 0)
    }

    private var seconds: String {
        outage.patience % 1000 == 0 ? "\(outage.patience / 1000) s" : "\(outage.patience) ms"
    }

    /// Answers what was in flight; how many there were. `initialize` alone is said again, since it had no effect beyond
    /// the connection that is gone.
    private mutating func settle() -> Int {
        var again: [ByteBuffer] = []
        var lost = 0
        for (id, effect) in calls.removeAll() {
            if case .handshake(let request) = effect, memory.handshake == nil {
                again.append(request.bytes)
            } else {
                lost += 1
                refuse(id, "connection lost, outcome unknown", .connectionLost)
            }
        }
        if memory.handshake == nil, let initialized = memory.initialized, !again.isEmpty {
            again.append(initialized)
            memory.initialized = nil
        }
        waiting.putBack(again)
        return lost
    }

    /// Tells the client that nobody waits for its answer any more.
    private mutating func cancel(_ id: Lexeme) {
        var line = ByteBuffer(string: #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"#)
        id.write(to: &line)
        line.writeString(#","reason":"connection lost"}}"#)
        emit(.toClient(SplicedMessage(line)))
    }

    private mutating func retry(now: Int) {
        guard let delay = outage.nextDelay(at: now) else { return giveUp() }
        phase = .backingOff
        emit(.wake(after: delay))
    }

    private mutating func giveUp() {
        fail(hasConnected ? "the daemon did not come back within \(seconds): \(outage.reason)" : outage.reason)
    }

    /// Ends with an error that the person and the waiting client are told.
    mutating func fail(_ message: String) {
        failure = message
        emit(.note(message))
        // `waiting` first: the handshake may be in it.
        var isTold = memory.handshake != nil || clientHasEnded
        for line in waiting.takeAll() { decline(line, &isTold) }
        guard !isTold else { return finish(code: 1) }
        phase = .farewell
        emit(.wake(after: BridgeLimits.farewell))
    }

    /// A line of a client that has not learned yet that there is no daemon.
    mutating func sayFarewell(to line: ByteBuffer) {
        var isTold = false
        decline(line, &isTold)
        if isTold { finish(code: 1) }
    }

    private mutating func decline(_ line: ByteBuffer, _ isTold: inout Bool) {
        let failure = failure
        var hasSaidInitialize = false
        forEachRequest(in: line) { bridge, id, method in
            // A client of the modern era asks this first, and falls back to initialize when it is unknown.
            if method == "server/discover" { return bridge.refuse(id, code: -32601, "method not found") }
            bridge.refuse(id, failure, .unavailable)
            if method == "initialize" { hasSaidInitialize = true }
        }
        if hasSaidInitialize { isTold = true }
    }

    private mutating func finish(code: Int32) {
        phase = .ended
        emit(.finish(code: code))
    }
}
