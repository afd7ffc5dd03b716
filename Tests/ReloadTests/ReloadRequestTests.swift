import GatewayEvents
import Testing

@testable import AuditTrail
@testable import Gateway
@testable import GatewayConfiguration
@testable import Reload

@Suite("Requests for a reload, and its end")
struct ReloadRequestTests {
    /// How far a reload has come when something happens.
    enum Phase: CaseIterable {
        case reading, openingDoors, adopting

        func reach(_ scene: ReloaderScene, _ next: Candidate) {
            if self == .reading { return }
            scene.target.finishReading(.success(next))
            if self == .openingDoors { return }
            scene.target.finishOpening(.success([]))
        }

        func finish(_ scene: ReloaderScene, _ next: Candidate) {
            if self == .reading { scene.target.finishReading(.success(next)) }
            if self != .adopting { scene.target.finishOpening(.success([])) }
            scene.target.finishAdopting(.success(Adoption(busyOwnUpstreams: 0)))
        }
    }

    @Test("what is asked for before the start has succeeded is done after it, once")
    func remembered() throws {
        let scene = try ReloaderScene()
        for _ in 0..<3 { scene.reloader.request() }
        #expect(scene.calls.isEmpty)
        scene.advance(10)
        scene.reloader.startSucceeded()
        #expect(scene.calls == [.began, .read])
        scene.reloader.startSucceeded()
        scene.target.finishReading(.success(scene.start))
        #expect(scene.calls == [.began, .read, .checkSinks, .ended(.unchanged)])
        #expect(try scene.last().began == 1_010)
    }

    @Test("a start that nobody asked anything of reloads nothing")
    func quietStart() throws {
        let scene = try ReloaderScene.started()
        #expect(scene.calls.isEmpty)
        #expect(scene.reloader.lastOutcome == nil)
    }

    @Test("a storm of requests leads to one more reload, begun after the last of them", arguments: Phase.allCases)
    func storm(during phase: Phase) throws {
        let scene = try ReloaderScene.started()
        let next = try ReloadFixture.limited(5)
        scene.reloader.request()
        phase.reach(scene, next)
        for _ in 0..<100 {
            scene.advance(1)
            scene.reloader.request()
        }
        let lastRequest = scene.now
        #expect(scene.calls.count { $0 == .began } == 1)
        phase.finish(scene, next)
        #expect(scene.target.ends.count == 1)
        #expect(try scene.last().began < lastRequest)
        #expect(scene.calls.suffix(3) == [.ended(.applied), .began, .read])
        scene.target.finishReading(.success(next))
        #expect(try scene.last().result == .unchanged)
        #expect(try scene.last().began >= lastRequest)
        #expect(scene.calls.count { $0 == .began } == 2)
        #expect(!scene.reloader.isReloading)
    }

    @Test("a refused reload is followed by the one that was asked for meanwhile", arguments: Phase.allCases)
    func refusedDuringStorm(phase: Phase) throws {
        let scene = try ReloaderScene.started()
        let next = try ReloadFixture.limited(5)
        scene.reloader.request()
        phase.reach(scene, next)
        scene.reloader.request()
        switch phase {
        case .reading: scene.target.finishReading(.failure(Refusal(problems: ["no"], environmentSource: .none)))
        case .openingDoors: scene.target.finishOpening(.failure(DoorRefusal("no")))
        case .adopting: scene.target.finishAdopting(.failure(.upstream("no")))
        }
        #expect(scene.calls.suffix(3) == [.ended(.refused), .began, .read])
        scene.apply(next)
        #expect(try scene.last().generation == 2)
    }

    @Test("who asks again from within the report of a reload gets one more, also when others had asked before")
    func askedWithinTheReport() throws {
        let scene = try ReloaderScene.started()
        scene.reloader.request()
        scene.reloader.request()
        scene.target.onEnded = { [unowned scene] in
            scene.target.onEnded = {}
            scene.reloader.request()
        }
        scene.target.finishReading(.success(scene.start))
        #expect(scene.calls.count { $0 == .began } == 2)
        scene.target.finishReading(.success(scene.start))
        #expect(scene.target.ends.count == 2)
        #expect(!scene.reloader.isReloading)
    }

    @Test("while the report is made, the reload is over")
    func overAtTheReport() throws {
        let scene = try ReloaderScene.started()
        var wasReloading: Bool?
        var told: ReloadOutcome?
        scene.target.onEnded = { [unowned scene] in
            wasReloading = scene.reloader.isReloading
            told = scene.reloader.lastOutcome
        }
        scene.reloader.request()
        scene.target.finishReading(.success(scene.start))
        #expect(wasReloading == false)
        #expect(told == scene.target.ends.last?.outcome)
    }

    // MARK: - The gateway ends

    @Test("after a stop nothing begins any more", arguments: [false, true])
    func stopped(isStarted: Bool) throws {
        let scene = try ReloaderScene()
        if isStarted { scene.reloader.startSucceeded() } else { scene.reloader.request() }
        scene.reloader.stop()
        scene.reloader.startSucceeded()
        scene.reloader.request()
        #expect(scene.calls.isEmpty)
    }

    @Test("a reload that a stop finds under way ends once, and is not followed by another", arguments: Phase.allCases)
    func stopDuring(phase: Phase) throws {
        let scene = try ReloaderScene.started()
        let next = try ReloadFixture.limited(5)
        scene.reloader.request()
        phase.reach(scene, next)
        scene.reloader.request()
        scene.reloader.stop()
        scene.reloader.request()
        switch phase {
        case .reading: scene.target.finishReading(.success(next))
        case .openingDoors:
            scene.target.finishOpening(.success([]))
            scene.target.finishAdopting(.failure(.shuttingDown))
        case .adopting: scene.target.finishAdopting(.failure(.shuttingDown))
        }
        #expect(scene.target.ends.map(\.outcome.result) == [.refused])
        #expect(try scene.last().problems == ["the gateway is shutting down"])
        #expect(try scene.last().generation == 1)
        #expect(scene.calls.count { $0 == .began } == 1)
        #expect(!scene.reloader.isReloading)
        scene.reloader.request()
        #expect(scene.calls.count { $0 == .began } == 1)
    }

    @Test("a configuration that is read after a stop opens no door and no sink")
    func readAfterStop() throws {
        let scene = try ReloaderScene.started()
        scene.reloader.request()
        scene.reloader.stop()
        scene.target.finishReading(.success(scene.start))
        #expect(scene.calls == [.began, .read, .ended(.refused)])
    }

    @Test("an adoption that succeeds in spite of a stop is reported as applied")
    func adoptedDuringStop() throws {
        let scene = try ReloaderScene.started()
        let next = try ReloadFixture.limited(5)
        scene.reloader.request()
        Phase.adopting.reach(scene, next)
        scene.reloader.stop()
        scene.target.finishAdopting(.success(Adoption(busyOwnUpstreams: 0)))
        #expect(try scene.last().result == .applied)
        #expect(try scene.last().generation == 2)
    }
}
