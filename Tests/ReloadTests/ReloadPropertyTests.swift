import GatewayEvents
import Testing

@testable import AuditTrail
@testable import Gateway
@testable import GatewayConfiguration
@testable import Reload

/// The reloader under random scripts. `ScriptedTarget` itself checks that no step begins while another is under way.
@Suite("The reloader, whatever happens in whatever order")
struct ReloadPropertyTests {
    @Test("one end for every beginning, one adoption at a time, a generation for every applied one", arguments: 0..<200)
    func scripts(seed: UInt64) throws {
        var script = try Script(seed: seed)
        for _ in 0..<300 { script.step() }
        script.settle()
        script.check()
    }
}

/// Steele, Lea and Flood's SplitMix64: a seed repeats a failure.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

private struct Script {
    var random: Generator
    let scene: ReloaderScene
    let candidates: [Candidate]
    var isStarted = false
    var isStopped = false
    var lastRequest: UInt64?
    let stopsEarly: Bool

    init(seed: UInt64) throws {
        random = Generator(state: seed)
        scene = try ReloaderScene()
        candidates =
            [scene.start] + (try (2..<4).map(ReloadFixture.limited)) + [
                ReloadFixture.candidate(try ReloadFixture.loaded(more: "# a comment\n")),
                ReloadFixture.candidate(try ReloadFixture.loaded(upstream: ["command: other"])),
            ]
        stopsEarly = seed % 4 == 0
    }

    mutating func step() {
        scene.advance(1)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<5: start()
        case 5..<35: request()
        case 35 where stopsEarly: stop()
        case 36..<40: scene.target.sinkError = scene.target.sinkError == nil ? ScriptedTarget.blocked : nil
        default: finish(isGood: Int.random(in: 0..<4, using: &random) > 0)
        }
    }

    private mutating func start() {
        if !isStopped { isStarted = true }
        scene.reloader.startSucceeded()
    }

    private mutating func request() {
        if !isStopped { lastRequest = scene.now }
        scene.reloader.request()
    }

    private mutating func stop() {
        isStopped = true
        scene.reloader.stop()
    }

    /// Ends whatever step is under way.
    private mutating func finish(isGood: Bool) {
        let target = scene.target
        if target.reading != nil {
            let candidate = candidates.randomElement(using: &random) ?? scene.start
            target.finishReading(
                isGood ? .success(candidate) : .failure(Refusal(problems: ["no"], environmentSource: .none)))
        } else if target.opening != nil {
            target.finishOpening(isGood ? .success([]) : .failure(DoorRefusal("no")))
        } else if target.adopting != nil {
            let failures: [AdoptionFailure] = [.audit(ScriptedTarget.blocked), .upstream("no")]
            let failure = failures.randomElement(using: &random) ?? .shuttingDown
            target.finishAdopting(
                isStopped
                    ? .failure(.shuttingDown) : isGood ? .success(Adoption(busyOwnUpstreams: 0)) : .failure(failure))
        }
    }

    mutating func settle() {
        start()
        // One reload under way and one that was asked for meanwhile, of three steps each.
        for _ in 0..<6 {
            scene.advance(1)
            finish(isGood: true)
        }
    }

    func check() {
        let calls = scene.calls
        #expect(!scene.reloader.isReloading)
        checkBeginnings(calls)
        checkGenerations()
        let reloads = calls.split(separator: .began)
        #expect(reloads.count == scene.target.ends.count)
        for reload in reloads { checkOrder(Array(reload)) }
        if let lastRequest, isStarted, !isStopped {
            #expect(scene.reloader.lastOutcome.map { $0.began >= lastRequest } == true)
        }
        #expect(!calls.isEmpty || !isStarted || lastRequest == nil)
    }

    /// Beginnings and ends alternate.
    private func checkBeginnings(_ calls: [ScriptedTarget.Call]) {
        var isOpen = false
        for call in calls {
            switch call {
            case .began:
                #expect(!isOpen, "a reload began within another")
                isOpen = true
            case .ended:
                #expect(isOpen, "a reload ended twice")
                isOpen = false
            default: #expect(isOpen, "\(call) outside of a reload")
            }
        }
        #expect(!isOpen, "a reload has not ended")
    }

    private func checkGenerations() {
        var (generation, hash) = (1, scene.start.loaded.shortHash)
        for end in scene.target.ends {
            #expect(end.former.generation == generation)
            #expect(end.former.configHash == hash)
            if end.outcome.result == .applied {
                generation += 1
                hash = end.outcome.candidateHash
            }
            #expect(end.outcome.generation == generation)
            #expect(end.outcome.configHash == hash)
            #expect(end.loaded.shortHash == hash)
            #expect(end.outcome.problems.isEmpty == (end.outcome.result != .refused))
        }
    }

    private func checkOrder(_ calls: [ScriptedTarget.Call]) {
        let shape = calls.map { call in
            switch call {
            case .adopt: "adopt"
            case .settle(let isRefused): isRefused ? "close" : "settle"
            case .ended(let result): result.rawValue
            default: "\(call)"
            }
        }.joined(separator: " ")
        let shapes: Set = [
            "read refused", "read checkSinks unchanged", "read checkSinks refused", "read openDoors close refused",
            "read openDoors adopt close refused", "read openDoors adopt settle applied",
        ]
        #expect(shapes.contains(shape), "\(shape)")
    }
}
