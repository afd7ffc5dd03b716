internal import AuditTrail
internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import Logging
internal import MCPRouting
internal import MetricsDoor
internal import NIOCore
internal import Reload
internal import Telemetry

/// The metrics of a gateway and the port that they are scraped from: opened, moved and closed as the configuration
/// says. Nothing is counted while no port is configured. Confined to the gateway loop.
final class MetricsEndpoint {
    /// What the last ``open(for:_:)`` prepared.
    private enum Change {
        case none, remove
        case add(MetricsDoor)
    }

    private let gateway: Gateway
    private let log: Logger
    private var door: MetricsDoor?
    private var change = Change.none
    /// Lives as long as there is a port, wherever that moves.
    private var metrics: Metrics?
    /// The last reload.
    var lastReload: () -> ReloadOutcome? = { nil }

    init(_ gateway: Gateway, _ log: Logger) {
        self.gateway = gateway
        self.log = log
    }

    /// Where metrics are scraped.
    var address: String? { door?.settings.address }

    /// The port of the start.
    func open() -> EventLoopFuture<Void> {
        guard let settings = gateway.snapshot.settings.metrics else {
            return gateway.eventLoop.makeSucceededVoidFuture()
        }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        return listen(settings).map { bound.value.take($0.value) }
    }

    private func listen(_ settings: MetricsSettings) -> EventLoopFuture<NIOLoopBound<MetricsDoor>> {
        MetricsDoor.open(settings, on: gateway.eventLoop) { [unowned self] in
            let exposition = metrics?.exposition(sources)
            return (ByteBuffer(bytes: exposition?.bytes ?? []), Exposition.contentType)
        }
    }

    /// Opens what `settings` adds, beside what is open. Completes with why it cannot, or nil.
    func open(for settings: Settings, _ completion: @escaping (DoorRefusal?) -> Void) {
        change = .none
        guard door?.settings != settings.metrics else { return completion(nil) }
        guard let next = settings.metrics else {
            change = .remove
            return completion(nil)
        }
        let bound = NIOLoopBound((self, completion), eventLoop: gateway.eventLoop)
        listen(next).whenComplete { result in
            let (endpoint, completion) = bound.value
            switch result {
            case .success(let door):
                endpoint.change = .add(door.value)
                completion(nil)
            case .failure(let error): completion(DoorRefusal("\(error)"))
            }
        }
    }

    /// After the swap: closes what is not wanted any more. When the reload was refused: what it opened.
    func settle(isRefused: Bool) {
        defer { change = .none }
        switch (change, isRefused) {
        case (.none, _), (.remove, true): break
        case (.add(let door), true): door.close()
        case (.add(let next), false):
            door?.close()
            take(next)
        case (.remove, false):
            close()
            log.info("Metrics are off")
        }
    }

    private func take(_ door: MetricsDoor) {
        self.door = door
        if metrics == nil { metrics = Metrics(began: GatewayClock.system.now().wall) }
        gateway.observer = metrics
        log.info("Metrics at http://\(door.settings.address)/metrics")
    }

    /// Is scraped no more, and counts no more.
    func close() {
        door?.close()
        door = nil
        gateway.observer = nil
        metrics = nil
    }

    private var sources: MetricsSources {
        let snapshot = gateway.snapshot
        return MetricsSources(
            version: GatekitVersion.text, counts: gateway.counts, generation: snapshot.generation,
            configHash: snapshot.configHash, upstream: gateway.upstreamStatus, sinks: gateway.sinks,
            lastReload: lastReload(), droppedLogLines: LogOutput.stderr.droppedLines)
    }
}
