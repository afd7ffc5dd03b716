import NIOCore
import Testing

@testable import Upstream

@Suite("Another plan or policy for an upstream", .timeLimit(.minutes(1))) struct RelaunchTests {
    /// Waits for its input, and says what it got.
    private let old = LaunchPlan.shell("while read line; do echo old; done")
    private let next = LaunchPlan(program: "/bin/cat", arguments: [], environment: [:], workingDirectory: "/")
    private let crashing = LaunchPlan.shell("exit 1")
    private let again = RestartDecision.restart(after: 0, attempt: 0)

    private func expectNext(_ subject: Subject) async throws {
        try await subject.send("who\n")
        #expect(try await subject.line() == "who")
    }

    @Test("a running process is ended and followed at once, whatever the policy, and each is reported by its own name")
    func running() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(old, policy: .never, clock: clock)
            try await subject.perform { $0.start() }
            let first = try await subject.started()
            try await subject.perform { [next] in $0.relaunch(next, grace: 10) }
            let end = try await subject.exited()
            #expect(end.status == .exited(code: 0))
            #expect(end.next == again)
            #expect(try await subject.perform { _ in clock.pending } == [0])
            try await subject.perform { _ in clock.fire() }
            #expect(try await subject.started(restart: 1) != first)
            try await expectNext(subject)
            try await subject.stop(grace: 10)
            #expect(
                subject.programs.all == ["started /bin/sh", "exited /bin/sh", "started /bin/cat", "exited /bin/cat"])
        }
    }

    @Test("several relaunches of a running process start the last plan, once")
    func twice() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(old, policy: .never, clock: clock)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            try await subject.perform { [next, crashing] in
                $0.relaunch(crashing, grace: 10)
                $0.relaunch(next, grace: 10)
            }
            #expect(try await subject.exited().next == again)
            // Once more while its successor is about to be started.
            try await subject.perform { [next] in $0.relaunch(next, grace: 10) }
            #expect(try await subject.perform { _ in clock.pending } == [])
            _ = try await subject.started(restart: 1)
            try await expectNext(subject)
            try await subject.stop(grace: 10)
        }
    }

    @Test("what is being started by an old plan is followed by one of the new plan")
    func starting() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(old, policy: .never, clock: clock)
            try await subject.perform { [next] in
                $0.start()
                $0.relaunch(next, grace: 10)
            }
            _ = try await subject.started()
            #expect(try await subject.exited().next == again)
            try await subject.perform { _ in clock.fire() }
            _ = try await subject.started(restart: 1)
            try await expectNext(subject)
            try await subject.stop(grace: 10)
            #expect(
                subject.programs.all == ["started /bin/sh", "exited /bin/sh", "started /bin/cat", "exited /bin/cat"])
        }
    }

    @Test("an old plan that cannot be started any more is not reported when a new one is there")
    func startingInVain() async throws {
        try await Rig.run { rig in
            let nowhere = LaunchPlan(program: "/nowhere", arguments: [], environment: [:], workingDirectory: "/")
            let subject = try await rig.upstream(nowhere, policy: .never)
            try await subject.perform { [next] in
                $0.start()
                $0.relaunch(next, grace: 10)
            }
            _ = try await subject.started()
            try await expectNext(subject)
            try await subject.stop(grace: 10)
        }
    }

    @Test("what is down is started at once, with all its tries")
    func down() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(crashing, policy: .session(attempts: 1), clock: clock)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            #expect(try await subject.exited().next == .restart(after: 1, attempt: 1))
            let other = LaunchPlan.shell("exit 2")
            try await subject.perform { $0.relaunch(other, grace: 10) }
            _ = try await subject.started(restart: 1)
            let end = try await subject.exited()
            #expect(end.status == .exited(code: 2))
            #expect(end.next == .restart(after: 1, attempt: 1))
            #expect(try await subject.perform { _ in clock.pending } == [1])
        }
    }

    @Test("what gave up is started at once")
    func gaveUp() async throws {
        try await Rig.run { rig in
            let subject = try await rig.upstream(crashing, policy: .never)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            #expect(try await subject.exited().next == .gaveUp(retryAfter: nil))
            try await subject.perform { [next] in $0.relaunch(next, grace: 10) }
            _ = try await subject.started(restart: 1)
            try await expectNext(subject)
            try await subject.stop(grace: 10)
        }
    }

    @Test("what is being stopped stays stopped, whichever was asked for first", arguments: [false, true])
    func stopping(isRelaunchedFirst: Bool) async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(old, policy: .daemon(), clock: clock)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            try await subject.perform { [next] in
                if isRelaunchedFirst { $0.relaunch(next, grace: 10) }
                $0.stop(grace: 10)
                if !isRelaunchedFirst { $0.relaunch(next, grace: 10) }
                $0.adopt(.daemon())
            }
            #expect(try await subject.exited().next == .stopped)
            #expect(try await subject.next() == .stopped)
            try await subject.perform { [next] in $0.relaunch(next, grace: 10) }
            #expect(try await subject.perform { _ in clock.pending } == [])
        }
    }

    @Test("what is stopped while its successor is about to be started has none")
    func stoppedBetween() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(old, policy: .daemon(), clock: clock)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            try await subject.perform { [next] in $0.relaunch(next, grace: 10) }
            #expect(try await subject.exited().next == again)
            try await subject.perform { $0.stop(grace: 10) }
            #expect(try await subject.next() == .stopped)
            #expect(try await subject.perform { _ in clock.pending } == [])
        }
    }

    @Test("a plan that comes before the start is the one that is started")
    func idle() async throws {
        try await Rig.run { rig in
            let subject = try await rig.upstream(old, policy: .never)
            try await subject.perform { [next] in
                $0.relaunch(next, grace: 10)
                $0.start()
            }
            _ = try await subject.started()
            try await expectNext(subject)
            try await subject.stop(grace: 10)
        }
    }

    @Test("a crash that follows a relaunch is a crash")
    func crashAfterwards() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(old, policy: .session(), clock: clock)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            try await subject.perform { [crashing] in $0.relaunch(crashing, grace: 10) }
            #expect(try await subject.exited().next == again)
            try await subject.perform { _ in clock.fire() }
            _ = try await subject.started(restart: 1)
            #expect(try await subject.exited().next == .restart(after: 1, attempt: 1))
        }
    }

    // MARK: - Policies

    @Test("another policy takes the failures over that were counted")
    func adoptWhileDown() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(crashing, policy: .session(attempts: 3), clock: clock)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            #expect(try await subject.exited().next == .restart(after: 1, attempt: 1))
            try await subject.perform { $0.adopt(.daemon(attempts: 1)) }
            #expect(try await subject.perform { _ in clock.pending } == [1])
            try await subject.perform { _ in clock.fire() }
            _ = try await subject.started(restart: 1)
            #expect(try await subject.exited().next == .gaveUp(retryAfter: 60))
        }
    }

    @Test("another policy decides the next end of what runs")
    func adoptWhileRunning() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(.shell("read line; exit 1"), policy: .never, clock: clock)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            try await subject.perform { $0.adopt(.daemon()) }
            try await subject.send("end\n")
            #expect(try await subject.exited().next == .restart(after: 1, attempt: 1))
        }
    }

    @Test("another policy alone starts nothing that gave up")
    func adoptWhileGivenUp() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(crashing, policy: .never, clock: clock)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            #expect(try await subject.exited().next == .gaveUp(retryAfter: nil))
            try await subject.perform { $0.adopt(.daemon()) }
            #expect(try await subject.perform { _ in clock.pending } == [])
            try await subject.perform { $0.retryNow() }
            _ = try await subject.started(restart: 1)
            #expect(try await subject.exited().next == .restart(after: 1, attempt: 1))
        }
    }
}
