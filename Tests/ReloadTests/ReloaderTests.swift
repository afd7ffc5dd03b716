import GatewayEvents
import Testing

@testable import AuditTrail
@testable import Gateway
@testable import GatewayConfiguration
@testable import Reload

@Suite("The reloader, step by step")
struct ReloaderTests {
    @Test("began, read, doors, adoption, settling, ended: in this order, with the next generation in force")
    func applied() throws {
        let scene = try ReloaderScene.started()
        let next = try ReloadFixture.limited(5)
        scene.advance(100)
        scene.reloader.request()
        #expect(scene.reloader.isReloading)
        scene.advance(23)
        scene.apply(next)
        #expect(
            scene.calls == [
                .began, .read, .openDoors, .adopt(generation: 2, replacesUpstream: false), .settle(isRefused: false),
                .ended(.applied),
            ])
        let end = try #require(scene.target.ends.last)
        let hash = next.loaded.shortHash
        #expect(hash != scene.start.loaded.shortHash)
        #expect(
            end.outcome
                == ReloadOutcome(
                    result: .applied, began: 1_100, time: 5_001_123, duration: 23, generation: 2, configHash: hash,
                    candidateHash: hash, changes: scene.start.loaded.changes(to: next.loaded), environmentSource: .none)
        )
        #expect(end.outcome.changes.count == 1)
        #expect(end.former.generation == 1)
        #expect(end.former.configHash == scene.start.loaded.shortHash)
        #expect(end.loaded.configHash == next.loaded.configHash)
        #expect(scene.reloader.lastOutcome == end.outcome)
        #expect(!scene.reloader.isReloading)
    }

    @Test("the same bytes are unchanged: only the sinks are looked at")
    func unchanged() throws {
        let scene = try ReloaderScene.started()
        scene.reloader.request()
        scene.target.finishReading(.success(scene.start))
        #expect(scene.calls == [.began, .read, .checkSinks, .ended(.unchanged)])
        let outcome = try scene.last()
        #expect(outcome.generation == 1)
        #expect(outcome.configHash == scene.start.loaded.shortHash)
        #expect(outcome.changes.isEmpty && outcome.problems.isEmpty)
    }

    @Test("equal settings of other bytes are applied, and said to differ in nothing else")
    func otherBytes() throws {
        let scene = try ReloaderScene.started()
        let next = ReloadFixture.candidate(try ReloadFixture.loaded(more: "# a comment\n"))
        scene.reloader.request()
        scene.apply(next)
        let outcome = try scene.last()
        #expect(outcome.result == .applied)
        #expect(outcome.changes == ["the files differ, no setting does"])
        #expect(outcome.generation == 2)
        #expect(outcome.configHash == next.loaded.shortHash)
    }

    /// Who refuses, the calls up to then, and the problem.
    enum Refuser: CaseIterable {
        case reader, door, audit, upstream, shutdown, sinks
    }

    @Test(
        "whoever refuses, everything stays as it was, and the next good configuration applies",
        arguments: Refuser.allCases)
    func refused(by refuser: Refuser) throws {
        let scene = try ReloaderScene.started()
        let next = try ReloadFixture.limited(5)
        scene.reloader.request()
        let (calls, problem) = refuse(by: refuser, next, scene)
        #expect(scene.calls == calls)
        let end = try #require(scene.target.ends.last)
        #expect(end.outcome.problems == [problem])
        #expect(end.outcome.generation == 1)
        #expect(end.outcome.configHash == scene.start.loaded.shortHash)
        #expect(end.outcome.changes.isEmpty)
        #expect(end.former.generation == 1)
        #expect(end.loaded.configHash == scene.start.loaded.configHash)
        let isRead = refuser != .reader && refuser != .sinks
        #expect(end.outcome.candidateHash == (isRead ? next : scene.start).loaded.shortHash)

        scene.target.sinkError = nil
        scene.reloader.request()
        scene.apply(next)
        #expect(try scene.last().result == .applied)
        #expect(try scene.last().generation == 2)
        #expect(try scene.last().changes == scene.start.loaded.changes(to: next.loaded))
    }

    private func refuse(
        by refuser: Refuser, _ next: Candidate, _ scene: ReloaderScene
    ) -> ([ScriptedTarget.Call], problem: String) {
        let target = scene.target
        let adopt = ScriptedTarget.Call.adopt(generation: 2, replacesUpstream: false)
        let adoption: [ScriptedTarget.Call] = [
            .began, .read, .openDoors, adopt, .settle(isRefused: true), .ended(.refused),
        ]
        func adopting(_ failure: AdoptionFailure, _ problem: String) -> ([ScriptedTarget.Call], problem: String) {
            target.finishReading(.success(next))
            target.finishOpening(.success([]))
            target.finishAdopting(.failure(failure))
            return (adoption, problem)
        }
        switch refuser {
        case .reader:
            target.finishReading(.failure(Refusal(problems: ["a.yaml:1:2: no"], environmentSource: .none)))
            return ([.began, .read, .ended(.refused)], "a.yaml:1:2: no")
        case .door:
            target.finishReading(.success(next))
            target.finishOpening(.failure(DoorRefusal("unix /x.sock: address in use")))
            return (
                [.began, .read, .openDoors, .settle(isRefused: true), .ended(.refused)], "unix /x.sock: address in use"
            )
        case .audit: return adopting(.audit(ScriptedTarget.blocked), "audit file /var/log/x: no space left on device")
        case .upstream: return adopting(.upstream("cannot be started"), "upstream: cannot be started")
        case .shutdown: return adopting(.shuttingDown, "the gateway is shutting down")
        case .sinks:
            target.sinkError = ScriptedTarget.blocked
            target.finishReading(.success(scene.start))
            return (
                [.began, .read, .checkSinks, .ended(.refused)], "audit file /var/log/x: no space left on device"
            )
        }
    }

    @Test("every problem of the reader comes through, in order")
    func problems() throws {
        let scene = try ReloaderScene.started()
        scene.reloader.request()
        scene.target.finishReading(.failure(Refusal(problems: ["a", "b"], environmentSource: .none)))
        #expect(try scene.last().problems == ["a", "b"])
    }

    @Test("where .env stands is what the last reading found, whether it was taken or not")
    func environmentSource() throws {
        let start = ReloadFixture.candidate(try ReloadFixture.loaded(dotenv: "A=1\n"), source: .live)
        let scene = try ReloaderScene.started(start)
        #expect(scene.reloader.environmentSource == .live)
        scene.reloader.request()
        scene.target.finishReading(.failure(Refusal(problems: ["gone"], environmentSource: .missing)))
        #expect(scene.reloader.environmentSource == .missing)
        #expect(try scene.last().environmentSource == .missing)
        scene.reloader.request()
        scene.target.finishReading(.success(start))
        #expect(scene.reloader.environmentSource == .live)
        #expect(try scene.last().result == .unchanged)
        #expect(try scene.last().environmentSource == .live)
    }

    @Test("another upstream is asked for exactly when the command changes")
    func replacesUpstream() throws {
        let scene = try ReloaderScene.started()
        scene.reloader.request()
        scene.apply(ReloadFixture.candidate(try ReloadFixture.loaded(upstream: ["command: other"])))
        #expect(scene.calls.contains(.adopt(generation: 2, replacesUpstream: true)))
        // From here on the comparison is with what was applied.
        scene.reloader.request()
        scene.apply(
            ReloadFixture.candidate(
                try ReloadFixture.loaded(upstream: ["command: other"], more: "  limits: { max_sessions: 5 }\n")))
        #expect(scene.calls.contains(.adopt(generation: 3, replacesUpstream: false)))
        #expect(scene.target.adopted.map(\.settings.upstream.command) == [["other"], ["other"]])
    }

    @Test("notes of the files, the doors, busy own processes and flags come through")
    func notes() throws {
        let flags = CommandLineFlags(logLevel: .debug)
        let scene = try ReloaderScene.started(ReloadFixture.candidate(try ReloadFixture.loaded(), flags: flags))
        let next = ReloadFixture.candidate(
            try ReloadFixture.loaded(more: "logging: { level: ERROR }\n"), flags: flags, notes: ["of the files"])
        scene.reloader.request()
        scene.apply(next, busy: 2, doorNotes: ["of the doors"])
        let outcome = try scene.last()
        #expect(
            outcome.notes == [
                "of the files", "of the doors",
                "2 sessions have an upstream process of their own: replaced as soon as it has nothing to do",
                "the edit of the log level has no effect: --verbose or --debug is set on the command line",
            ])
        #expect(outcome.result == .applied)
        #expect(outcome.changes == ["the files differ, no setting does"])
        // The edit was told once; the next reload edits nothing.
        scene.reloader.request()
        scene.target.finishReading(.success(next))
        #expect(try scene.last().notes == ["of the files"])
    }
}
