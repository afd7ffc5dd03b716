internal import GatewayConfiguration
public import GatewayEvents
internal import JSONRPCWire
public import MCPRouting
public import NIOCore
internal import NIOPosix
internal import Upstream

/// What doors call. All on the loop.
extension Gateway {
    /// Takes a client in; nil when `max_sessions` is reached or the gateway is ending, then the door says so and closes.
    /// `mayBeAsked` is that of ``Router/open(_:mayBeAsked:)``.
    public func connect(
        _ identity: SessionIdentity, _ channel: any ClientChannel, mayBeAsked: Bool = true
    ) -> SessionID? {
        eventLoop.assertInEventLoop()
        let limits = snapshot.settings.limits
        guard shutdown == nil, clients.count + lingering < limits.maxSessions else { return nil }
        let id = router.open(identity, mayBeAsked: mayBeAsked)
        let reader = LineReader(
            maxMessageBytes: limits.maxMessageBytes, maxDepth: limits.maxDepth, letsAnswersPass: false)
        clients[id] = ClientLink(
            self, id: id, channel: channel, reader: reader, now: clock.now().monotonic)
        return id
    }

    /// Bytes from a client.
    public func received(_ bytes: ByteBuffer, from id: SessionID) {
        eventLoop.assertInEventLoop()
        guard let client = clients[id] else { return }
        client.reader.append(bytes)
        read(client)
    }

    /// A client will send no more; what is in flight is still answered.
    public func inputEnded(_ id: SessionID) {
        eventLoop.assertInEventLoop()
        guard let client = clients[id], !client.inputEnded else { return }
        client.inputEnded = true
        client.reader.end()
        read(client)
    }

    /// A client is gone: a write failed or the connection was reset.
    public func lost(_ id: SessionID) {
        eventLoop.assertInEventLoop()
        guard clients[id] != nil else { return }
        router.end(id, .connectionLost, at: clock.now())
        perform()
    }

    /// A client's channel has room again.
    public func drained(_ id: SessionID) {
        eventLoop.assertInEventLoop()
        guard let client = clients[id] else { return }
        checkReader(of: client)
    }

    /// Reads on, as far as the client's share of this turn goes.
    func read(_ client: ClientLink) {
        guard !client.isInLine else { return }
        let now = clock.now()
        client.lastActivity = now.monotonic
        client.share.begin(turn: turn)
        beginReading(at: now)
        while !client.share.isSpent, let step = client.reader.next() {
            switch step {
            case .message(let message):
                client.share.spend(bytes: message.bytes.readableBytes)
                if wireLog != nil { show(message.bytes, from: client.id) }
                if !router.hasRoom { makeRoom(for: message, of: client.id, at: now) }
                router.receive(message, from: client.id, at: now, gate: gate)
            case .other(let outcome, let line):
                client.share.spend(bytes: line.readableBytes)
                if wireLog != nil { show(line, from: client.id) }
                take(outcome, line, from: client, exchange: .session, at: now)
            case .scanElsewhere(let line, _):
                if wireLog != nil { show(line, from: client.id) }
                client.pause(.scanning, true)
                scan(line) { [weak self, weak client] outcome in
                    guard let self, let client else { return }
                    client.reader.resume()
                    client.pause(.scanning, false)
                    beginReading(at: now)
                    take(outcome, line, from: client, exchange: .session, at: clock.now())
                    read(client)
                }
            case .oversize(let peek, let head):
                client.share.spend(bytes: head.readableBytes)
                router.oversize(peek, head: head, from: client.id, at: now)
            }
        }
        if client.share.isSpent, client.reader.hasMore { getInLine(client) } else { client.pause(.share, false) }
        if client.reader.isDrained, clients[client.id] != nil { router.inputEnded(client.id, at: now) }
        performInput(of: client)
    }

    /// Performs what a client's input led to, and stops reading it while its upstream has too much to take.
    func performInput(of client: ClientLink) {
        perform()
        readAt = 0
        // What waits for an absent upstream grows here, and nowhere else.
        guard let link = router.upstream(of: client.id).flatMap({ upstreams[$0] }) else { return }
        checkCongestion(of: link)
        // It may have come while the upstream was congested already.
        client.pause(.upstream, link.isCongested)
    }

    /// What is sent until this is set to 0 again was caused by what was read at `now`, or before if that was the cause.
    func beginReading(at now: Moment) {
        if readAt == 0 { readAt = now.monotonic }
    }

    /// Hands one scanned message, batch or refused line of a client to routing.
    func take(
        _ outcome: ScanOutcome, _ line: ByteBuffer, from client: ClientLink, exchange: Exchange, at now: Moment
    ) {
        switch outcome {
        case .message(let scan):
            let message = Message(bytes: line, scan: scan)
            if !router.hasRoom { makeRoom(for: message, of: client.id, at: now) }
            router.receive(message, from: client.id, exchange: exchange, at: now, gate: gate)
        case .rejected(let rejection):
            router.rejected(rejection, line, from: client.id, exchange: exchange, at: now)
        case .batch(let elements):
            client.share.spend(messages: min(elements.count, Router.maxBatch))
            let limits = snapshot.settings.limits
            let scanner = MessageScanner(maxDepth: limits.maxDepth)
            // More than this is refused whole, so there is no need to look at them all.
            let scanned = elements.prefix(Router.maxBatch + 1).map { element in
                let (outcome, bytes) = scanner.scan(element: element, of: line)
                return (outcome: outcome, bytes: bytes)
            }
            router.batch(scanned, line: line, from: client.id, exchange: exchange, at: now, gate: gate)
        }
    }

    /// Scans a long line on a worker and comes back to the loop.
    func scan(_ line: ByteBuffer, then finish: @escaping (ScanOutcome) -> Void) {
        let scanner = MessageScanner(maxDepth: snapshot.settings.limits.maxDepth)
        let finish = NIOLoopBound(finish, eventLoop: eventLoop)
        workers.runIfActive(eventLoop: eventLoop) { scanner.scan(line) }.whenSuccess { finish.value($0) }
    }

    /// Ends a session's channel behind what was sent to it in this turn.
    func close(_ id: SessionID, _ reason: CloseReason) {
        guard let client = clients[id] else { return }
        clients[id] = nil
        lingering += 1
        if reason == .slowReader || reason == .connectionLost {
            letGo(of: client, isAbrupt: true)
        } else {
            closing.append(client)
        }
        onSessionEnded?(id, reason)
    }

    /// Closes a channel whose session has ended. Until it is closed it counts as a client.
    func letGo(of client: ClientLink, isAbrupt: Bool) {
        client.channel.close(isAbrupt: isAbrupt) { [self] in
            lingering -= 1
            finishShutdownIfDrained()
        }
    }

    /// Stops reading a client that does not take its answers, and lets go of one that never will.
    func checkReader(of client: ClientLink) {
        let queued = client.channel.queuedBytes
        if client.channel.slowsUpstream {
            for upstream in upstreams.values {
                if queued > Self.highWater { upstream.process?.pauseReading() }
                if queued < Self.lowWater { upstream.process?.resumeReading() }
            }
        } else if isTooSlow(client, queued) {
            router.end(client.id, .slowReader, at: clock.now())
            return perform()
        }
        if queued > Self.highWater { client.pause(.outbound, true) }
        if queued < Self.lowWater { client.pause(.outbound, false) }
    }

    /// Above the cap for five seconds, or four times above it. At once would end an honest client to which several large
    /// results come in one turn.
    private func isTooSlow(_ client: ClientLink, _ queued: Int) -> Bool {
        let cap = snapshot.settings.limits.maxMessageBytes
        guard queued > cap else {
            client.overCapSince = nil
            return false
        }
        let now = clock.now().monotonic
        let since = client.overCapSince ?? now
        client.overCapSince = since
        return queued > 4 * cap || now - since > 5_000_000_000
    }

    static var highWater: Int { 1024 * 1024 }
    static var lowWater: Int { 512 * 1024 }
}
