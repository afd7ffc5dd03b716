import Glibc
import NIOCore
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(1))) struct RestartTests {
    private let crashing = LaunchPlan.shell("exit 1")

    @Test("each crash is followed by a start after the policy's pause, until the tries are used up")
    func backoff() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(crashing, policy: .session(), clock: clock)
            try await subject.perform { $0.start() }
            for (restart, pause) in [1.0, 2, 4].enumerated() {
                _ = try await subject.started(restart: restart)
                let expected = RestartDecision.restart(after: pause, attempt: restart + 1)
                #expect(try await subject.exited().next == expected)
                #expect(try await subject.perform { _ in clock.pending } == [pause])
                try await subject.perform { _ in clock.fire() }
            }
            _ = try await subject.started(restart: 3)
            #expect(try await subject.exited().next == .gaveUp(retryAfter: nil))
            #expect(try await subject.perform { _ in clock.pending } == [])
        }
    }

    @Test("uptime is measured from the start of the program")
    func uptime() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(.shell("read line"), policy: .daemon(), clock: clock)
            try await subject.perform { $0.start() }
            for (uptime, attempt) in [(29.0, 1), (29.0, 2), (30.0, 1)] {
                let restart = try await subject.next()
                guard case .started = restart else { throw Unexpected(event: restart) }
                try await subject.perform { upstream in
                    clock.now += uptime
                    upstream.write(ByteBuffer(string: "\n"))
                    upstream.flush()
                }
                let next = try await subject.exited().next
                #expect(next == .restart(after: Double(attempt), attempt: attempt))
                try await subject.perform { _ in clock.fire() }
            }
            _ = try await subject.started(restart: 3)
            try await subject.stop(grace: 10)
        }
    }

    @Test("a program that appears later is started then, and failed starts count as tries but not as restarts")
    func appearsLater() async throws {
        try await withFolder { folder in
            try await Rig.run { rig in
                let clock = HandClock()
                let plan = LaunchPlan(
                    program: "\(folder)/server", arguments: [], environment: [:], workingDirectory: "/")
                let subject = try await rig.upstream(plan, policy: .daemon(attempts: 1), clock: clock)
                try await subject.perform { $0.start() }
                for expected in [RestartDecision.restart(after: 1, attempt: 1), .gaveUp(retryAfter: 60)] {
                    guard case .startFailed(_, expected) = try await subject.next() else {
                        Issue.record("not \(expected)")
                        return
                    }
                    #expect(try await subject.perform { _ in clock.pending.count } == 1)
                    if expected == .gaveUp(retryAfter: 60) {
                        try write("#!/bin/sh\nexec cat\n", to: "\(folder)/server", mode: 0o755)
                    }
                    try await subject.perform { _ in clock.fire() }
                }
                _ = try await subject.started(restart: 0)
                try await subject.stop(grace: 10)
            }
        }
    }

    @Test("a stop during the pause ends it without another start")
    func stopDuringPause() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(crashing, policy: .daemon(), clock: clock)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            _ = try await subject.exited()
            try await subject.perform { $0.stop(grace: 10) }
            #expect(try await subject.next() == .stopped)
            #expect(try await subject.perform { _ in clock.pending } == [])
        }
    }

    @Test("a retry starts at once what waits or gave up, with all its tries, and leaves alone what runs")
    func retry() async throws {
        try await Rig.run { rig in
            let clock = HandClock()
            let subject = try await rig.upstream(crashing, policy: .session(attempts: 1), clock: clock)
            try await subject.perform { $0.start() }
            for restart in 0..<3 {
                _ = try await subject.started(restart: restart)
                #expect(try await subject.exited().next == .restart(after: 1, attempt: 1))
                let pending = try await subject.perform { upstream in
                    upstream.retryNow()
                    return clock.pending
                }
                #expect(pending == [])
            }
            _ = try await subject.started(restart: 3)
            _ = try await subject.exited()
            try await subject.perform { _ in clock.fire() }
            _ = try await subject.started(restart: 4)
            #expect(try await subject.exited().next == .gaveUp(retryAfter: nil))
            try await subject.perform { upstream in
                upstream.retryNow()
                upstream.retryNow()
            }
            _ = try await subject.started(restart: 5)
            #expect(try await subject.exited().next == .restart(after: 1, attempt: 1))
        }
    }

    @Test("the event loop's own clock restarts a crashed program")
    func realClock() async throws {
        try await Rig.run { rig in
            let subject = try await rig.upstream(crashing, policy: .session(attempts: 1))
            try await subject.perform { $0.start() }
            _ = try await subject.started(restart: 0)
            #expect(try await subject.exited().next == .restart(after: 1, attempt: 1))
            _ = try await subject.started(restart: 1)
            #expect(try await subject.exited().next == .gaveUp(retryAfter: nil))
        }
    }
}
