import GatewayConfiguration
import GatewayEvents
import Testing

@testable import AuditTrail
@testable import Gateway
@testable import Reload

/// A gateway played by the test: every call is kept, and each step ends when the test says so.
final class ScriptedTarget: ReloadTarget {
    enum Call: Hashable {
        case began, read, openDoors, checkSinks
        case adopt(generation: Int, replacesUpstream: Bool)
        case settle(isRefused: Bool)
        case ended(ReloadOutcome.Result)
    }

    var calls: [Call] = []
    /// What was told at each end.
    var ends: [(outcome: ReloadOutcome, former: Snapshot, loaded: LoadedConfiguration)] = []
    var adopted: [Snapshot] = []
    var sinkError: AuditError?
    var onEnded: () -> Void = {}

    private(set) var reading: ((Result<Candidate, Refusal>) -> Void)?
    private(set) var opening: ((Result<[String], DoorRefusal>) -> Void)?
    private(set) var adopting: ((Result<Adoption, AdoptionFailure>) -> Void)?

    static let blocked = AuditError(code: .noSpace, path: "/var/log/x", reason: "no space left on device")

    func reloadBegan() { calls.append(.began) }

    func readConfiguration(_ completion: @escaping (Result<Candidate, Refusal>) -> Void) {
        expectNothingUnderWay()
        calls.append(.read)
        reading = completion
    }

    func openDoors(_ settings: Settings, _ completion: @escaping (Result<[String], DoorRefusal>) -> Void) {
        expectNothingUnderWay()
        calls.append(.openDoors)
        opening = completion
    }

    func settleDoors(isRefused: Bool) { calls.append(.settle(isRefused: isRefused)) }

    func adopt(
        _ next: Snapshot, replacesUpstream: Bool, _ completion: @escaping (Result<Adoption, AdoptionFailure>) -> Void
    ) {
        expectNothingUnderWay()
        calls.append(.adopt(generation: next.generation, replacesUpstream: replacesUpstream))
        adopted.append(next)
        adopting = completion
    }

    func checkSinks() throws(AuditError) {
        calls.append(.checkSinks)
        if let sinkError { throw sinkError }
    }

    func reloadEnded(_ outcome: ReloadOutcome, former: Snapshot, loaded: LoadedConfiguration) {
        calls.append(.ended(outcome.result))
        ends.append((outcome, former, loaded))
        onEnded()
    }

    private func expectNothingUnderWay() {
        #expect(reading == nil && opening == nil && adopting == nil, "a step begins while another is under way")
    }

    // MARK: - The test's part

    func finishReading(_ result: Result<Candidate, Refusal>, _ location: SourceLocation = #_sourceLocation) {
        guard let completion = reading else {
            Issue.record("nothing is being read", sourceLocation: location)
            return
        }
        reading = nil
        completion(result)
    }

    func finishOpening(_ result: Result<[String], DoorRefusal>, _ location: SourceLocation = #_sourceLocation) {
        guard let completion = opening else {
            Issue.record("no door is being opened", sourceLocation: location)
            return
        }
        opening = nil
        completion(result)
    }

    func finishAdopting(
        _ result: Result<Adoption, AdoptionFailure>, _ location: SourceLocation = #_sourceLocation
    ) {
        guard let completion = adopting else {
            Issue.record("nothing is being adopted", sourceLocation: location)
            return
        }
        adopting = nil
        completion(result)
    }
}

/// A reloader before its start has succeeded, its target and its clock.
final class ReloaderScene {
    let target = ScriptedTarget()
    let start: Candidate
    let reloader: Reloader
    private final class Clock { var monotonic: UInt64 = 1_000 }
    private let clock = Clock()

    init(_ start: Candidate? = nil) throws {
        let start = try start ?? ReloadFixture.candidate(ReloadFixture.loaded())
        self.start = start
        reloader = Reloader(
            start: start, snapshot: SnapshotAssembly.snapshot(of: start.loaded, generation: 1), target: target,
            now: { [clock] in .init(monotonic: clock.monotonic, wall: Int64(clock.monotonic) + 5_000_000) })
    }

    /// One that serves requests.
    static func started(_ start: Candidate? = nil) throws -> ReloaderScene {
        let scene = try ReloaderScene(start)
        scene.reloader.startSucceeded()
        return scene
    }

    var now: UInt64 { clock.monotonic }
    var calls: [ScriptedTarget.Call] { target.calls }
    func advance(_ nanoseconds: UInt64) { clock.monotonic += nanoseconds }
    func last() throws -> ReloadOutcome { try #require(target.ends.last?.outcome) }

    /// Has one reload read `candidate` and everybody agree to it.
    func apply(_ candidate: Candidate, busy: Int = 0, doorNotes: [String] = []) {
        target.finishReading(.success(candidate))
        target.finishOpening(.success(doorNotes))
        target.finishAdopting(.success(Adoption(busyOwnUpstreams: busy)))
    }
}
