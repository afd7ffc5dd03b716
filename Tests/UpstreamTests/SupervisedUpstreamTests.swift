import Glibc
import NIOCore
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(1))) struct SupervisedUpstreamTests {
    @Test("what is written comes back in order, and the end of input ends the program")
    func echo() async throws {
        try await Rig.run { rig in
            let (cat, pid) = try await rig.shell("exec cat")
            try await cat.send("hello\n")
            #expect(try await cat.line() == "hello")
            #expect(try await cat.stop(grace: 10) == .exited(code: 0))
            #expect(isGone(pid))
        }
    }

    @Test("five megabytes go through whole, with the queue told")
    func bigEcho() async throws {
        try await Rig.run { rig in
            let (cat, _) = try await rig.shell("exec cat")
            let sent = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            let queued = try await cat.perform { upstream in
                upstream.write(ByteBuffer(bytes: sent))
                let queued = upstream.queuedBytes
                upstream.flush()
                return queued
            }
            #expect(queued == sent.count)
            var received: [UInt8] = []
            var writability: [Bool] = []
            while received.count < sent.count || writability.count < 2 {
                switch try await cat.next() {
                case .bytes(let bytes): received += bytes
                case .writability(let isWritable, _): writability.append(isWritable)
                case let other: throw Unexpected(event: other)
                }
            }
            #expect(received == sent)
            #expect(writability == [false, true])
            #expect(try await cat.perform { $0.queuedBytes } == 0)
            try await cat.stop(grace: 10)
        }
    }

    @Test("all output is handed over before the exit, also what a paused reader had left in the pipe")
    func outputBeforeExit() async throws {
        try await Rig.run { rig in
            let subject = try await rig.upstream(.shell("head -c 60000 /dev/zero; exit 3"))
            try await subject.perform { upstream in
                upstream.pauseReading()
                upstream.start()
            }
            _ = try await subject.started()
            let end = try await subject.exited()
            #expect(end.output.count == 60000)
            #expect(end.status == .exited(code: 3))
        }
    }

    @Test("a reader that pauses stops the program, and resuming continues it")
    func pause() async throws {
        try await Rig.run { rig in
            // Says on standard error, which is always read, that all of its output has been taken.
            let subject = try await rig.upstream(.shell("head -c 1000000 /dev/zero; echo done >&2; exec cat"))
            try await subject.perform { upstream in
                upstream.pauseReading()
                upstream.start()
            }
            let pid = try await subject.started()
            #expect(try await blocks(writing: pid))
            #expect(rig.log.texts.isEmpty)
            try await subject.perform { $0.resumeReading() }
            var count = 0
            while count < 1_000_000 {
                guard case .bytes(let bytes) = try await subject.next() else { return }
                count += bytes.count
            }
            #expect(count == 1_000_000)
            try await subject.stop(grace: 10)
            #expect(rig.log.texts == ["info: [upstream test] done"])
        }
    }

    @Test("standard error reaches the log with a prefix, escaped, with its last unfinished line")
    func standardError() async throws {
        try await Rig.run { rig in
            let (subject, _) = try await rig.shell(#"printf 'one\n\033[31mtwo\r\nthree' >&2; exit 1"#)
            #expect(try await subject.exited().status == .exited(code: 1))
            #expect(
                rig.log.texts == [
                    "info: [upstream test] one", #"info: [upstream test] \u{1b}[31mtwo"#,
                    "info: [upstream test] three",
                ])
        }
    }

    @Test(
        "the status tells an exit from a signal",
        arguments: [("exit 7", Upstream.ExitStatus.exited(code: 7)), ("kill -SEGV $$", .signalled(signal: SIGSEGV))])
    func status(script: String, expected: Upstream.ExitStatus) async throws {
        try await Rig.run { rig in
            let (subject, _) = try await rig.shell(script)
            let end = try await subject.exited()
            #expect(end.status == expected)
            #expect(end.next == .gaveUp(retryAfter: nil))
        }
    }

    @Test("writing to a program that has closed its input or ended is harmless")
    func writeToDead() async throws {
        try await Rig.run { rig in
            let (subject, _) = try await rig.shell("exec 0<&-; echo closed; sleep 0.2; echo after; exit 5")
            #expect(try await subject.line() == "closed")
            for _ in 0..<10 { try await subject.send(String(repeating: "x", count: 100_000)) }
            let end = try await subject.exited()
            #expect(String(decoding: end.output, as: UTF8.self) == "after\n")
            #expect(end.status == .exited(code: 5))
            try await subject.send("nobody\n")
            #expect(try await subject.perform { $0.queuedBytes } == 0)
        }
    }

    @Test(
        "a program that closes a stream it is useless without, and lives on, is ended",
        arguments: [("1>&-", "output"), ("0<&-", "input")])
    func useless(closing: String, name: String) async throws {
        try await Rig.run { rig in
            var patience = UpstreamProcess.Patience()
            patience.silent = 0.05
            patience.deaf = 0.05
            let (subject, pid) = try await rig.shell("exec \(closing); exec sleep 1000", patience: patience)
            #expect(try await subject.exited().status == .signalled(signal: SIGTERM))
            #expect(
                rig.log.texts == [
                    "warning: [upstream test] process \(pid) closed its standard \(name) but lives on; it is ended"
                ])
        }
    }

    /// Whether the descendants of `pid` come to wait in a write to a pipe, within 10 s.
    private func blocks(writing pid: Int32) async throws -> Bool {
        for _ in 0..<1000 {
            for child in children(of: pid) + [pid] where waitChannel(of: child).contains("pipe") { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    private func children(of pid: Int32) -> [Int32] {
        text(of: "/proc/\(pid)/task/\(pid)/children").split(separator: " ").compactMap { Int32($0) }
    }

    private func waitChannel(of pid: Int32) -> String { text(of: "/proc/\(pid)/wchan") }
}
