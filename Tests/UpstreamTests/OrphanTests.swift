import CSpawn
import Glibc
import Testing

@testable import Upstream

/// What is left when a whole gateway dies, and what one inherits: tried on a gateway in miniature.
@Suite(.timeLimit(.minutes(1))) struct OrphanTests {
    @Test(
        "when the gateway is killed, its upstream's whole group goes with it",
        arguments: [
            "sleep 1000 & echo $!; wait",
            // As npx does it, and deaf to SIGTERM.
            "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1000; done' & wait",
            // Its parent is gone already, its group is not.
            "(sleep 1000 & echo $!); exec sleep 1000",
        ])
    func killedGateway(script: String) async throws {
        try await Rig.run { rig in
            let (gateway, pid) = try await rig.probe(["echo $$; \(script)"])
            let leader = try #require(Int32(try await gateway.line()))
            let grandchild = try #require(Int32(try await gateway.line()))
            #expect(!isGone(leader) && !isGone(grandchild))
            kill(pid, SIGKILL)
            #expect(try await gateway.exited().status == .signalled(signal: SIGKILL))
            #expect(try await waitUntilGone(leader))
            #expect(try await waitUntilGone(grandchild))
        }
    }

    @Test("when the watcher is killed with the gateway, the upstream itself still ends")
    func killedWatcher() async throws {
        try await Rig.run { rig in
            let (gateway, pid) = try await rig.probe(["trap '' TERM; echo $$; while :; do sleep 0.1; done"])
            let leader = try #require(Int32(try await gateway.line()))
            let watcher = try #require(watcherProcess(of: pid))
            kill(pid, SIGSTOP)
            kill(watcher, SIGKILL)
            kill(pid, SIGKILL)
            _ = try await gateway.exited()
            #expect(try await waitUntilGone(leader))
        }
    }

    @Test("a watcher that was killed is replaced by one that knows the groups")
    func replacedWatcher() async throws {
        try await Rig.run { rig in
            let (gateway, pid) = try await rig.probe(["echo $$; sleep 1000 & echo $!; wait"])
            let leader = try #require(Int32(try await gateway.line()))
            let grandchild = try #require(Int32(try await gateway.line()))
            let first = try #require(watcherProcess(of: pid))
            kill(first, SIGKILL)
            var second: Int32?
            for _ in 0..<1000 where second == nil {
                second = watcherProcess(of: pid).flatMap { $0 == first ? nil : $0 }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(second != nil)
            kill(pid, SIGKILL)
            _ = try await gateway.exited()
            #expect(try await waitUntilGone(leader))
            #expect(try await waitUntilGone(grandchild))
        }
    }

    @Test("the watcher has a session of its own, no descriptor but its socket, and minds no signal")
    func watcherIsolation() async throws {
        try await Rig.run { rig in
            let (gateway, pid) = try await rig.probe(["echo ready; exec sleep 1000"])
            #expect(try await gateway.line() == "ready")
            let watcher = try #require(watcherProcess(of: pid))
            #expect(getsid(watcher) == watcher)
            for signal in [SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1] { kill(watcher, signal) }
            #expect(
                (0..<1024).filter {
                    access("/proc/\(watcher)/fd/\($0)", F_OK) == 0 || isLink("/proc/\(watcher)/fd/\($0)")
                } == [0])
            #expect(!isGone(watcher))
            kill(pid, SIGKILL)
            _ = try await gateway.exited()
            #expect(try await waitUntilGone(watcher))
        }
    }

    @Test("a gateway that ends leaves no watcher")
    func watcherEnds() async throws {
        try await Rig.run { rig in
            let (gateway, pid) = try await rig.probe(["read line"])
            var found: Int32?
            for _ in 0..<1000 where found == nil {
                found = watcherProcess(of: pid)
                try await Task.sleep(for: .milliseconds(5))
            }
            let watcher = try #require(found)
            let upstream = children(of: pid).first { $0 != watcher }
            kill(try #require(upstream), SIGKILL)
            #expect(try await gateway.line() == "ended signal 9")
            #expect(try await gateway.exited().status == .exited(code: 0))
            #expect(isGone(watcher))
        }
    }

    @Test("started with SIGCHLD ignored, it still learns how its upstream ended")
    func ignoredChildSignal() async throws {
        try await Rig.run { rig in
            let (gateway, _) = try await rig.shell("trap '' CHLD; exec \"$@\"", try Rig.probePath(), "exit 3")
            #expect(try await gateway.line() == "ended exit 3")
        }
    }

    @Test("started without standard streams, it still starts an upstream with three")
    func closedStreams() async throws {
        try await withFolder { folder in
            try await Rig.run { rig in
                let (gateway, _) = try await rig.shell(
                    "exec \"$@\" 0<&- 1>&- 2>&-", try Rig.probePath(),
                    "ls -l /proc/self/fd > \(folder)/out; ls /proc/self/fd >> \(folder)/out")
                _ = try await gateway.exited()
                let listing = text(of: "\(folder)/out")
                #expect(listing.contains("0 -> pipe:"))
                #expect(listing.contains("2 -> pipe:"))
                #expect(listing.hasSuffix("\n0\n1\n2\n3\n"), "\(listing)")
            }
        }
    }

    private static let mayUnshare: Bool = {
        geteuid() == 0 && access("/usr/bin/unshare", X_OK) == 0
            && Glibc.system("/usr/bin/unshare --pid --fork --mount-proc true 2>/dev/null") == 0
    }()

    // Each orphan's parent ends first; one is in the group, one has left it and so is nobody's but ours.
    private static let orphans = "(sleep 0.2 & echo $!); (setsid sleep 0.2 & echo $!); exit 6"

    @Test("a subreaper reaps the orphans that it is given, and keeps its own child's status")
    func subreaper() async throws {
        try await Rig.run { rig in
            let (gateway, _) = try await rig.probe(["--subreaper", Self.orphans])
            try await expectReaped(gateway)
        }
    }

    @Test("PID 1 of a container reaps orphans", .enabled(if: mayUnshare))
    func init1() async throws {
        try await Rig.run { rig in
            let (gateway, _) = try await rig.shell(
                "exec unshare --pid --fork --kill-child --mount-proc \"$@\"", try Rig.probePath(), "--reaper",
                Self.orphans)
            try await expectReaped(gateway)
        }
    }

    private func expectReaped(_ gateway: Subject) async throws {
        let end = try await gateway.exited()
        #expect(end.status == .exited(code: 0))
        let lines = String(decoding: end.output, as: UTF8.self).split(separator: "\n").map(String.init)
        let orphans = lines.compactMap { Int32($0) }
        #expect(orphans.count == 2)
        #expect(lines.contains("ended exit 6"))
        for orphan in orphans { #expect(lines.contains("reaped \(orphan)")) }
    }

    private func isLink(_ path: String) -> Bool {
        var byte: CChar = 0
        return readlink(path, &byte, 1) > 0
    }

    private func children(of pid: Int32) -> [Int32] {
        // Every thread has its own list, and it is mostly the spawn thread that forks.
        names(in: "/proc/\(pid)/task").flatMap { thread in
            text(of: "/proc/\(pid)/task/\(thread)/children").split(separator: " ").compactMap { Int32($0) }
        }
    }

    private func watcherProcess(of pid: Int32) -> Int32? {
        children(of: pid).first { text(of: "/proc/\($0)/comm") == "gatekit-watch\n" && !isGone($0) }
    }
}
