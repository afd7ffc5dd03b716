import GatewayConfiguration
import GatewayEvents
import Glibc
import Synchronization
import Systemd
import Testing

@testable import AuditTrail

@Suite("Durability")
struct DurabilityTests {
    let directory = ScratchDirectory()

    func scene(_ durability: FileAuditingSettings.Durability, critical: Bool = true) throws -> Scene {
        var settings = FileAuditingSettings(outputFile: directory.file("audit.log"))
        settings.durability = durability
        settings.critical = critical
        return try Scene([settings])
    }

    @Test("write: everything of a turn is one write, and nothing is waited for")
    func write() throws {
        let scene = try scene(.write)
        _ = scene.trail.commit()
        scene.machine.change { $0.writes = [] }
        for id in 0..<10 { scene.request("\(id)") }
        #expect(scene.trail.hasPending)
        #expect(scene.trail.commit() == .done(barrier: 0))
        #expect(scene.machine.state.withLock { $0.writes.count } == 1)
        #expect(!scene.trail.hasPending)
        #expect(scene.trail.commit() == .done(barrier: 0))
        #expect(scene.machine.state.withLock { $0.offLoop.isEmpty && $0.writes.count == 1 })
    }

    @Test("none: written after 50 ms, or with a tick, or when much has come")
    func none() throws {
        let scene = try scene(.none)
        scene.request("1")
        #expect(scene.trail.commit() == .done(barrier: 0))
        #expect(directory.read("audit.log") == "")
        #expect(scene.trail.nextFlush == 1_050_000_000)
        scene.advance(milliseconds: 50)
        #expect(scene.trail.commit() == .done(barrier: 0))
        #expect(sequence(directory.lines("audit.log")) == [1, 2])
        #expect(scene.trail.nextFlush == nil && !scene.trail.hasPending)
        scene.response("1")
        scene.tick()
        #expect(sequence(directory.lines("audit.log")) == [1, 2, 3])
        for id in 0..<1500 { scene.request("\(id)") }
        #expect(scene.trail.commit() == .done(barrier: 0))
        #expect(directory.lines("audit.log").count == 1503)
    }

    @Test("sync: requests wait for a round, at most one is in flight, the next covers all since, in order")
    func sync() throws {
        let scene = try scene(.sync)
        var reached: [UInt64] = []
        scene.trail.onDurable = { reached.append($0) }
        scene.request("1")
        #expect(scene.trail.commit() == .done(barrier: 1))
        scene.request("2")
        #expect(scene.trail.commit() == .done(barrier: 2))
        scene.response("1")
        #expect(scene.trail.commit() == .done(barrier: 0), "a response is written, and not waited for")
        scene.request("3")
        #expect(scene.trail.commit() == .done(barrier: 3))
        #expect(scene.machine.state.withLock { $0.offLoop.count } == 1)
        #expect(reached.isEmpty)
        scene.runSyncs()
        #expect(reached == [1])
        #expect(scene.machine.state.withLock { $0.offLoop.count } == 1)
        scene.runSyncs()
        #expect(reached == [1, 3])
        #expect(scene.machine.state.withLock { $0.offLoop.isEmpty })
        // The new file's directory, the file, and the file again.
        #expect(scene.machine.state.withLock { $0.synced } == 3)
    }

    @Test("sync: a failure holds its requests, closes the gate, and is confessed when it works again")
    func syncFails() throws {
        let scene = try scene(.sync)
        var reached: [UInt64] = []
        scene.trail.onDurable = { reached.append($0) }
        scene.request("1")
        #expect(scene.trail.commit() == .done(barrier: 1))
        scene.machine.change { $0.syncFault = EIO }
        scene.runSyncs()
        #expect(reached.isEmpty)
        #expect(scene.trail.refusal(for: scene.snapshot, method: "x", tool: nil) == "cannot sync: input/output error")
        scene.tick()
        scene.runSyncs()
        #expect(reached.isEmpty, "still failing")
        scene.machine.change { $0.syncFault = 0 }
        scene.tick()
        scene.runSyncs()
        #expect(reached == [1])
        scene.tick()
        let last = try #require(directory.lines("audit.log").last)
        #expect(last.range(of: "AUDIT_GAP") != nil && last.range(of: "may not survive a power loss") != nil)
        #expect(last.range(of: #""count": 1, "#) != nil)
        #expect(scene.trail.refusal(for: scene.snapshot, method: "x", tool: nil) == nil)
    }

    @Test("sync: a sink that is not critical holds nothing when syncing fails")
    func syncFailsUncritical() throws {
        let scene = try scene(.sync, critical: false)
        var reached: [UInt64] = []
        scene.trail.onDurable = { reached.append($0) }
        scene.machine.change { $0.syncFault = EIO }
        scene.request("1")
        #expect(scene.trail.commit() == .done(barrier: 1))
        scene.runSyncs()
        #expect(reached == [1])
        #expect(scene.trail.status()[0].lastError == "cannot sync: input/output error")
    }

    @Test("a round that ends after the trail is gone ends quietly")
    func lateRound() throws {
        var scene: Scene? = try scene(.sync)
        let machine = try #require(scene?.machine)
        scene?.request("1")
        _ = scene?.trail.commit()
        scene = nil
        for work in machine.state.withLock({ $0.offLoop }) { work() }
        let onLoop = machine.state.withLock { $0.onLoop }
        #expect(onLoop.count == 1)
        for work in onLoop { work() }
    }

    @Test("with the system's own thread the barrier arrives through the executor")
    func realThread() async throws {
        let (work, continuation) = AsyncStream.makeStream(of: (@Sendable () -> Void).self)
        let trail = AuditTrail(
            run: "00c0ffee", version: "1", journal: JournalWriter(path: "/nonexistent/journal"), toolCallLog: .journal,
            executor: { continuation.yield($0) })
        var settings = FileAuditingSettings(outputFile: directory.file("audit.log"))
        settings.durability = .sync
        let snapshot = Scene.snapshot(1, [settings])
        try trail.install(snapshot)
        var reached: [UInt64] = []
        trail.onDurable = { reached.append($0) }
        trail.record(
            AuditEvent(time: 0, snapshot: snapshot, session: nil, kind: .request(Scene.call("1"), plugin: nil)))
        #expect(trail.commit() == .done(barrier: 1))
        #expect(reached.isEmpty)
        var arrivals = work.makeAsyncIterator()
        let arrived = await arrivals.next()
        arrived?()
        #expect(reached == [1])
        trail.onDurable = nil
    }
}
