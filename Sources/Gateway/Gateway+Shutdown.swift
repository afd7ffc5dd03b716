internal import AuditTrail
internal import GatewayConfiguration
internal import GatewayEvents
internal import MCPRouting
internal import NIOCore

/// How far a clean end has come.
struct ShutdownState {
    enum Phase {
        /// Calls in flight may still finish.
        case draining
        /// Every session has ended; upstreams are ending.
        case stopping
        case done
    }

    var phase = Phase.draining
    /// Monotonic nanoseconds after which calls are failed.
    var drainsUntil: UInt64
    /// Monotonic nanoseconds at which everything should have ended.
    var endsBy: UInt64
    var completion: () -> Void
}

extension Gateway {
    /// A clean end: clients are not read any more, calls in flight get half of `shutdown_timeout` to finish and are then
    /// answered with an error, upstreams end, sinks are flushed and closed. Calls `completion` once, on the loop.
    public func shutDown(_ completion: @escaping () -> Void) {
        eventLoop.assertInEventLoop()
        if let running = shutdown {
            shutdown?.completion = {
                running.completion()
                completion()
            }
            return
        }
        adoptionFailed(.shuttingDown)
        let patience = snapshot.settings.timeouts.shutdown
        let now = clock.now().monotonic
        shutdown = ShutdownState(
            drainsUntil: now + UInt64(patience / 2 * 1e9), endsBy: now + UInt64(patience * 1e9), completion: completion)
        for client in clients.values { client.pause(.shutdown, true) }
        tickShutdown()
    }

    func tickShutdown() {
        guard let state = shutdown else { return }
        guard case .draining = state.phase else { return finishShutdownIfDrained() }
        let now = clock.now()
        guard !router.hasOpenCalls || now.monotonic >= state.drainsUntil else { return }
        shutdown?.phase = .stopping
        router.shutDown(at: now)
        perform()
        for link in upstreams.values { stopUpstream(link.id) }
        endTurn()
        finishShutdownIfDrained()
    }

    /// Whether upstreams are being ended for good.
    var isStopping: Bool {
        switch shutdown?.phase {
        case nil, .draining: false
        case .stopping, .done: true
        }
    }

    func finishShutdownIfDrained() {
        guard let state = shutdown, case .stopping = state.phase, upstreams.isEmpty, endingUpstreams.isEmpty else {
            return
        }
        // A client that never takes its last answer must not keep the last records from being written.
        guard lingering == 0 || clock.now().monotonic >= state.endsBy else { return }
        shutdown?.phase = .done
        ticks?.cancel()
        trail.close(reason: "shutdown")
        shutdown?.completion()
    }
}
