internal import AuditTrail
internal import ControlPlane
internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Reload
internal import Systemd

/// What a reload acts on.
extension Serving: ReloadTarget {
    func reloadBegan() {
        parts.notifier?.reloading(status: "reloading")
        // A changed upstream gets this long to shake hands.
        parts.notifier?.extendTimeout(microseconds: UInt64((settings.timeouts.connection + 10) * 1e6))
    }

    func readConfiguration(_ completion: @escaping (Result<Candidate, Refusal>) -> Void) {
        let files = parts.files
        let bound = NIOLoopBound(completion, eventLoop: gateway.eventLoop)
        parts.workers.runIfActive(eventLoop: gateway.eventLoop) { () -> Result<Candidate, Refusal> in
            do throws(Refusal) {
                return .success(try files.read(.reload))
            } catch {
                return .failure(error)
            }
        }.whenComplete { result in
            switch result {
            case .success(let read): bound.value(read)
            case .failure:
                // The worker is taken down at the very end, and nobody hears of this any more.
                bound.value(.failure(Refusal(problems: ["the gateway is shutting down"], environmentSource: .none)))
            }
        }
    }

    func openDoors(_ settings: Settings, _ completion: @escaping (Result<[String], DoorRefusal>) -> Void) {
        let metrics = parts.metrics
        parts.doors.open(for: settings) { result in
            guard case .success(let notes) = result else { return completion(result) }
            metrics.open(for: settings) { refusal in completion(refusal.map(Result.failure) ?? .success(notes)) }
        }
    }

    func settleDoors(isRefused: Bool) {
        parts.doors.settle(isRefused: isRefused)
        parts.metrics.settle(isRefused: isRefused)
    }

    func adopt(
        _ next: Snapshot, replacesUpstream: Bool, _ completion: @escaping (Result<Adoption, AdoptionFailure>) -> Void
    ) {
        if replacesUpstream {
            // Its own patience counts, which may be longer than that of the snapshot in force.
            parts.notifier?.extendTimeout(microseconds: UInt64((next.settings.timeouts.connection + 10) * 1e6))
        }
        gateway.adopt(next, replacesUpstream: replacesUpstream, completion)
    }

    func checkSinks() throws(AuditError) {
        try gateway.checkSinks()
    }

    func reloadEnded(_ outcome: ReloadOutcome, former: Snapshot, loaded: LoadedConfiguration) {
        gateway.record(outcome, former: former)
        if outcome.result == .applied {
            DaemonLog.setLevel(Logger.Level(settings.logLevel))
            for warning in loaded.warnings { log.warning("\(warning)") }
        }
        tell(outcome)
        control?.publish(outcome)
        guard !isEnding else { return }
        parts.notifier?.reloaded(status: statusText, errno: outcome.result == .refused ? EINVAL : 0)
    }

    private func tell(_ outcome: ReloadOutcome) {
        let log = DaemonLog.logger("gatekit.reload")
        let label = "\(outcome.generation):\(outcome.configHash)"
        switch outcome.result {
        case .applied:
            log.info("Reload applied: configuration \(label) in force")
            for change in outcome.changes { log.info("changed: \(change)") }
        case .unchanged:
            log.info("Reload found nothing changed: configuration \(label) stays in force")
        case .refused:
            log.error("Reload refused: configuration \(label) stays in force")
            for problem in outcome.problems { log.error("\(problem)") }
        }
        for note in outcome.notes { log.warning("\(note)") }
    }
}
