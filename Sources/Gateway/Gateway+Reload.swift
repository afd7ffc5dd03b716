public import AuditTrail
internal import GatewayConfiguration
public import GatewayEvents
internal import MCPRouting
internal import NIOCore
internal import Upstream

/// Why a snapshot was not taken; everything is as it was before.
public enum AdoptionFailure: Error {
    /// A sink cannot be opened or written.
    case audit(AuditError)
    /// The next upstream did not start or did not shake hands; our own text.
    case upstream(String)
    /// The gateway is ending.
    case shuttingDown
}

/// What came of a snapshot that was taken.
public struct Adoption: Sendable {
    /// How many sessions have a process of their own that gets replaced only when it has nothing to do.
    public var busyOwnUpstreams: Int
    /// How many sessions keep a process of the kind that new sessions do not get.
    public var sessionsOfTheOtherKind = 0
}

/// A reload whose next upstream is on its way.
struct PendingAdoption {
    let next: Snapshot
    /// Whether sessions' own processes run by a launch plan of the past.
    let renewsOwn: Bool
    let completion: (Result<Adoption, AdoptionFailure>) -> Void
}

extension Gateway {
    /// Puts `next` in force, as a whole or not at all: starts its upstream where `replacesUpstream` says so, or where its
    /// sessions share one and there is none, and waits for the handshake; then opens its sinks, and only then swaps the
    /// snapshot and the upstream, in one go on the loop.
    ///
    /// `completion` is called on the loop, within the swap itself: what it records comes before anything that the
    /// new snapshot lets happen. One at a time; a second one before the first has completed is a mistake of the caller.
    public func adopt(
        _ next: Snapshot, replacesUpstream: Bool,
        _ completion: @escaping (Result<Adoption, AdoptionFailure>) -> Void
    ) {
        eventLoop.assertInEventLoop()
        precondition(adoption == nil, "a snapshot is adopted one at a time")
        guard shutdown == nil else { return completion(.failure(.shuttingDown)) }
        adoption = PendingAdoption(next: next, renewsOwn: replacesUpstream, completion: completion)
        if replacesUpstream || router.needsShared(for: next) {
            router.replaceShared(for: next, at: clock.now())
        } else {
            finishAdoption()
        }
        perform()
    }

    /// Nothing that matters has changed: looks at the sinks of the current snapshot again.
    /// - Throws: what ``AuditTrail/install(_:)`` throws; then nothing has changed.
    public func checkSinks() throws(AuditError) {
        try trail.install(snapshot)
        for link in upstreams.values { link.process?.retryNow() }
        perform()
    }

    /// Leaves the record of a reload: in the sinks of the snapshot in force, and in those that only `former` had.
    public func record(_ outcome: ReloadOutcome, former: Snapshot) {
        let event = AuditEvent(
            time: outcome.time, snapshot: snapshot, session: nil,
            kind: .configReload(outcome, formerHash: former.configHash))
        trail.recordReload(event, former: former)
        observer?.observe(event)
        perform()
    }

    func finishAdoption() {
        guard let adoption else { return }
        self.adoption = nil
        let now = clock.now()
        do throws(AuditError) {
            try trail.install(adoption.next)
        } catch {
            router.abandonSwap("its audit cannot be opened", at: now)
            return adoption.completion(.failure(.audit(error)))
        }
        router.completeSwap(at: now)
        router.adopt(adoption.next, at: now)
        let busy = adoption.renewsOwn ? router.renewOwnUpstreams(at: now) : 0
        takeOver(adoption.next, renewsOwn: adoption.renewsOwn)
        let others = router.sessionsOfTheOtherKind
        adoption.completion(.success(Adoption(busyOwnUpstreams: busy, sessionsOfTheOtherKind: others)))
        applyCongestion()
    }

    func adoptionFailed(_ failure: AdoptionFailure) {
        guard let adoption else { return }
        self.adoption = nil
        adoption.completion(.failure(failure))
    }

    /// What links and supervisors keep of a snapshot's settings.
    private func takeOver(_ next: Snapshot, renewsOwn: Bool) {
        let limits = next.settings.limits
        for client in clients.values {
            client.reader.adopt(maxMessageBytes: limits.maxMessageBytes, maxDepth: limits.maxDepth)
        }
        for link in upstreams.values {
            link.reader.adopt(maxMessageBytes: limits.maxMessageBytes, maxDepth: limits.maxDepth)
            link.process?.adopt(restartPolicy(next))
            // An operator has just looked after it: what is down is tried at once. Not by a command of the past, though:
            // what was replaced is ended, and a session's own process is launched anew.
            let isShared = link.id == router.sharedUpstream.id
            if isShared || link.role != .shared && !renewsOwn { link.process?.retryNow() }
        }
    }
}
