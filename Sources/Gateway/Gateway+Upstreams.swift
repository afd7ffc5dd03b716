internal import GatewayConfiguration
internal import GatewayEvents
internal import JSONRPCWire
internal import Logging
internal import MCPRouting
internal import NIOCore
internal import NIOPosix
internal import ToolPolicy
internal import Upstream

extension Gateway {
    func startUpstream(_ id: UpstreamID, _ role: UpstreamRole) {
        // A process that is being ended may still answer its probe, and nobody would end what that asks for.
        guard !isStopping else { return }
        // The next shared one runs under the snapshot that comes with it.
        let snapshot = router.isNextShared(id) ? adoption?.next ?? snapshot : snapshot
        let link = UpstreamLink(self, id: id, role: role, reader: upstreamReader())
        let settings = snapshot.settings.upstream
        let process = SupervisedUpstream(
            label: settings.name ?? "upstream", plan: launchPlan(snapshot), policy: restartPolicy(snapshot),
            spawner: spawner, eventLoop: eventLoop, logger: logger)
        link.process = process
        upstreams[id] = link
        process.delegate = link
        process.start()
    }

    func stopUpstream(_ id: UpstreamID) {
        guard let link = upstreams[id] else { return }
        upstreams[id] = nil
        endingUpstreams[id] = link
        var grace = min(snapshot.settings.timeouts.shutdown, 5)
        if let endsBy = shutdown?.endsBy {
            let now = clock.now().monotonic
            grace = min(grace, endsBy > now ? Double(endsBy - now) / 1e9 : 0)
        }
        link.process?.stop(grace: grace)
    }

    private func upstreamReader() -> LineReader {
        let limits = snapshot.settings.limits
        return LineReader(maxMessageBytes: limits.maxMessageBytes, maxDepth: limits.maxDepth, letsAnswersPass: true)
    }

    func read(_ link: UpstreamLink) {
        let now = clock.now()
        beginReading(at: now)
        while let step = link.reader.next() {
            switch step {
            case .message(let message):
                if wireLog != nil { show(message.bytes, from: link) }
                router.receive(message, from: link.id, at: now)
            case .other(let outcome, let line):
                if wireLog != nil { show(line, from: link) }
                take(outcome, line, from: link, at: now)
            case .scanElsewhere(let line, let isOutOfBand):
                if wireLog != nil { show(line, from: link) }
                let epoch = link.epoch
                link.answerWentElsewhere()
                scan(line) { [weak self, weak link] outcome in
                    guard let self, let link, link.epoch == epoch else { return }
                    beginReading(at: now)
                    take(outcome, line, from: link, at: clock.now())
                    if !isOutOfBand {
                        link.reader.resume()
                        read(link)
                    }
                    perform()
                    readAt = 0
                    link.answerCameBack(of: epoch)
                }
            case .oversize(let peek, let head):
                router.oversize(peek, head: head, from: link.id, at: now)
            }
        }
        perform()
        readAt = 0
    }

    private func take(_ outcome: ScanOutcome, _ line: ByteBuffer, from link: UpstreamLink, at now: Moment) {
        switch outcome {
        case .message(let scan):
            router.receive(Message(bytes: line, scan: scan), from: link.id, at: now)
        case .rejected(let rejection):
            // Servers print such things by mistake: the operator sees them where stderr goes.
            if rejection.code == -32700 { link.process?.relay(stdoutLine: line) }
            router.rejected(rejection, line, from: link.id, at: now)
        case .batch(let elements):
            let scanner = MessageScanner(maxDepth: snapshot.settings.limits.maxDepth)
            for element in elements {
                let (outcome, bytes) = scanner.scan(element: element, of: line)
                if case .batch = outcome { continue }
                take(outcome, bytes, from: link, at: now)
            }
        }
    }

    /// Lets the policies look at a large result on a worker.
    func review(_ id: PendingID, _ message: Message, _ snapshot: Snapshot, _ method: String) {
        let link = router.upstream(of: id).flatMap { upstreams[$0] }
        link?.answerWentElsewhere()
        let bound = NIOLoopBound((self, link, link?.epoch ?? 0), eventLoop: eventLoop)
        workers.runIfActive(eventLoop: eventLoop) { snapshot.policies.review(message, of: method) }.whenSuccess {
            let (gateway, link, epoch) = bound.value
            gateway.router.reviewed(id, $0, at: gateway.clock.now())
            gateway.perform()
            link?.answerCameBack(of: epoch)
        }
    }

    /// Stops reading an upstream's sessions while it has 1 MiB of requests to take first.
    func checkCongestion(of link: UpstreamLink) {
        let queued = link.queuedBytes + router.waitingBytes(for: link.id)
        let isCongested = queued > (link.isCongested ? Self.lowWater : Self.highWater)
        guard isCongested != link.isCongested else { return }
        link.isCongested = isCongested
        applyCongestion()
    }

    /// For every client anew: a swap or an end may have given it another upstream meanwhile.
    func applyCongestion() {
        for client in clients.values {
            let link = router.upstream(of: client.id).flatMap { upstreams[$0] }
            client.pause(.upstream, link?.isCongested ?? false)
        }
    }

    // MARK: - What a process reports

    func started(_ link: UpstreamLink, pid: Int32, program: String, restart: Int) {
        link.beginProcess(upstreamReader())
        link.pid = pid
        link.restarts = restart
        router.upstreamStarted(link.id, pid: pid, program: program, restart: restart, at: clock.now())
        perform()
    }

    func exited(
        _ link: UpstreamLink, pid: Int32, program: String, restart: Int, status: ExitStatus, next: RestartDecision
    ) {
        router.upstreamExited(
            link.id, pid: pid, program: program, restart: restart, status: "\(status)", at: clock.now())
        link.pid = nil
        decided(next, link, detail: "exited with \(status)")
    }

    func startFailed(_ link: UpstreamLink, _ failure: StartFailure, next: RestartDecision) {
        logger.error("upstream cannot be started: \(failure)")
        decided(next, link, detail: "cannot be started: \(failure)")
    }

    private func decided(_ next: RestartDecision, _ link: UpstreamLink, detail: String) {
        if router.isNextShared(link.id) || router.isRival(link.id) {
            // The operator waits for an answer: a second try would only delay it.
            router.upstreamFailed(link.id, detail, at: clock.now())
        } else if case .gaveUp(let retry) = next {
            router.upstreamFailed(link.id, detail, at: clock.now())
            if link.id == router.sharedUpstream.id {
                onFirstHandshake?(detail)
                onFirstHandshake = nil
            }
            if retry == nil, isUsed(link) { onUpstreamGaveUp?(detail) }
        }
        perform()
    }

    /// Whether some client depends on it, or may still come to.
    private func isUsed(_ link: UpstreamLink) -> Bool {
        clients.isEmpty || clients.values.contains { router.upstream(of: $0.id) ?? link.id == link.id }
    }

    func stopped(_ link: UpstreamLink) {
        endingUpstreams[link.id] = nil
        if case .own = link.role {
            router.ownUpstreamStopped()
            perform()
        }
        applyCongestion()
        finishShutdownIfDrained()
    }
}
