import Glibc
import NIOCore
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(1))) struct EndingTests {
    @Test("queued input reaches the program before its end of input does")
    func finishesInput() async throws {
        try await Rig.run { rig in
            let (subject, _) = try await rig.shell("exec wc -c")
            try await subject.perform { upstream in
                upstream.write(ByteBuffer(repeating: 0x78, count: 3_000_000))
                upstream.stop(grace: 20)
            }
            let end = try await subject.exited()
            #expect(String(decoding: end.output, as: UTF8.self) == "3000000\n")
            #expect(end.status == .exited(code: 0))
            #expect(try await subject.next() == .stopped)
        }
    }

    @Test("a program that ignores the end of its input gets SIGTERM, its children with it")
    func terminated() async throws {
        try await Rig.run { rig in
            let (subject, pid) = try await rig.shell("sleep 1000 & echo $!; wait", patience: .quick)
            let grandchild = try #require(Int32(try await subject.line()))
            #expect(try await subject.stop(grace: 30) == .signalled(signal: SIGTERM))
            #expect(isGone(pid))
            #expect(try await waitUntilGone(grandchild))
        }
    }

    @Test("one that ignores SIGTERM too is killed within the grace, and so is one that is stopped")
    func killed() async throws {
        try await Rig.run { rig in
            let (deaf, _) = try await rig.shell("trap '' TERM; echo ready; while :; do sleep 1000; done")
            #expect(try await deaf.line() == "ready")
            let start = NIODeadline.now()
            #expect(try await deaf.stop(grace: 1) == .signalled(signal: SIGKILL))
            #expect(NIODeadline.now() - start < .seconds(10))
            #expect(rig.log.texts.contains { $0.contains("did not end in time; its group is killed") })

            let (stopped, pid) = try await rig.shell("echo ready; exec sleep 1000", patience: .quick)
            #expect(try await stopped.line() == "ready")
            kill(pid, SIGSTOP)
            #expect(try await stopped.stop(grace: 30) == .signalled(signal: SIGTERM))
        }
    }

    @Test("no grace at all kills at once")
    func noGrace() async throws {
        try await Rig.run { rig in
            let (subject, pid) = try await rig.shell("trap '' TERM; echo ready; while :; do sleep 1000; done")
            #expect(try await subject.line() == "ready")
            #expect(try await subject.stop(grace: 0) == .signalled(signal: SIGKILL))
            #expect(isGone(pid))
        }
    }

    @Test("a second stop shortens the first")
    func impatience() async throws {
        try await Rig.run { rig in
            let (subject, _) = try await rig.shell("trap '' TERM; echo ready; while :; do sleep 1000; done")
            #expect(try await subject.line() == "ready")
            try await subject.perform { $0.stop(grace: 3600) }
            #expect(try await subject.stop(grace: 0.1) == .signalled(signal: SIGKILL))
        }
    }

    @Test("a wrapper's real server may finish its work after the wrapper is gone")
    func wrapperGoesFirst() async throws {
        try await Rig.run { rig in
            // The wrapper dies of SIGTERM at once; the server under it takes its time and has a last word.
            let server = "trap 'sleep 0.3; echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
            let (subject, _) = try await rig.shell("sh -c \"$1\" & wait", server, patience: .quick)
            #expect(try await subject.line() == "ready")
            try await subject.perform { $0.stop(grace: 30) }
            let end = try await subject.exited()
            #expect(String(decoding: end.output, as: UTF8.self) == "saved\n")
            #expect(end.status == .signalled(signal: SIGTERM))
            #expect(try await subject.next() == .stopped)
        }
    }

    @Test("when the leader crashes, the rest of its group is killed")
    func crashedWrapper() async throws {
        try await Rig.run { rig in
            let (subject, _) = try await rig.shell("(trap '' TERM; exec sleep 1000) & echo $!; kill -KILL $$")
            let end = try await subject.exited()
            #expect(end.status == .signalled(signal: SIGKILL))
            let grandchild = try #require(Int32(String(decoding: end.output, as: UTF8.self).dropLast()))
            #expect(try await waitUntilGone(grandchild))
        }
    }

    @Test("a descendant that left the group holds the end up for the drain time only")
    func escaped() async throws {
        try await Rig.run { rig in
            var patience = UpstreamProcess.Patience()
            patience.drain = 0.1
            // setsid escapes the group: it keeps our pipes, and only it can end itself.
            let (subject, _) = try await rig.shell(
                "setsid sh -c 'echo $$; exec sleep 1000' & read line; exit 4", patience: patience)
            let escapee = try #require(Int32(try await subject.line()))
            try await subject.send("\n")
            #expect(try await subject.exited().status == .exited(code: 4))
            #expect(!isGone(escapee))
            kill(escapee, SIGKILL)
            #expect(try await waitUntilGone(escapee))
        }
    }

    @Test("a stop before the program has started still ends it")
    func stopWhileStarting() async throws {
        try await Rig.run { rig in
            let subject = try await rig.upstream(.shell("exec sleep 1000"))
            try await subject.perform { upstream in
                upstream.start()
                upstream.stop(grace: 1)
            }
            let pid = try await subject.started()
            #expect(try await subject.exited().next == .stopped)
            #expect(try await subject.next() == .stopped)
            #expect(isGone(pid))
        }
    }

    @Test("what was never started is stopped at once, and only once")
    func stopIdle() async throws {
        try await Rig.run { rig in
            let subject = try await rig.upstream(.shell("exit 0"))
            try await subject.perform { upstream in
                upstream.stop(grace: 5)
                upstream.stop(grace: 1)
            }
            #expect(try await subject.next() == .stopped)
            // Anything further would have come before what a later turn brings.
            try await subject.perform { $0.delegate?.upstreamWritability($0, queuedBytes: 7, isWritable: true) }
            #expect(try await subject.next() == .writability(true, atLeast: 7))
        }
    }

    @Test("the spawn thread's shutdown kills what was not stopped")
    func shutdownKills() async throws {
        let pids = try await Rig.run { rig in
            let (subject, pid) = try await rig.shell("trap '' TERM; sleep 1000 & echo $!; wait")
            return [pid, try #require(Int32(try await subject.line()))]
        }
        for pid in pids { #expect(try await waitUntilGone(pid)) }
    }

    @Test("after the spawn thread's shutdown nothing can be started")
    func startAfterShutdown() async throws {
        try await Rig.run { rig in
            rig.spawner.shutdown()
            let subject = try await rig.upstream(.shell("exit 0"))
            try await subject.perform { $0.start() }
            guard case .startFailed(let failure, _) = try await subject.next() else {
                Issue.record("it was started")
                return
            }
            #expect(failure.stage == .spawnThread)
        }
    }
}
