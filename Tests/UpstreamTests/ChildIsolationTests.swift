import Glibc
import NIOCore
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(1))) struct ChildIsolationTests {
    /// Ignored and blocked while the children of this suite are started, as a daemon would have them.
    private func withHostileParent<R>(_ body: () async throws -> R) async throws -> R {
        // Left so: other suites need neither, and the kernel has no per-test signals.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGUSR2, SIG_IGN)
        // Without close-on-exec, as a careless library would open it.
        let leaked = open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        return try await body()
    }

    @Test("the child has no blocked, ignored or caught signal")
    func signals() async throws {
        try await withHostileParent {
            let status = try await output("exec cat /proc/self/status")
            for field in ["SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"] {
                #expect(status.contains("\(field):\t0000000000000000"), "\(field)")
            }
        }
    }

    @Test("the child has its three streams and nothing else")
    func descriptors() async throws {
        try await withHostileParent {
            // Opening the folder takes the lowest free number, 3.
            #expect(try await output("exec ls /proc/self/fd") == "0\n1\n2\n3\n")
            let targets = try await output("for n in 0 1 2; do readlink /proc/self/fd/$n; done; true").split(
                separator: "\n")
            #expect(targets.count == 3)
            #expect(targets.allSatisfy { $0.hasPrefix("pipe:[") })
            #expect(Set(targets).count <= 3)
        }
    }

    @Test("the child leads a group of its own and is in its working directory with its environment only")
    func place() async throws {
        try await Rig.run { rig in
            var plan = LaunchPlan.shell(
                #"cut -d' ' -f5 /proc/self/stat; pwd; env | sort; printf '%s\n' "$@""#, ["a b", ""])
            plan.environment = ["PATH": "/usr/bin:/bin", "ONLY": "this\nand that"]
            plan.workingDirectory = "/usr/bin"
            let subject = try await rig.upstream(plan)
            try await subject.perform { $0.start() }
            let pid = try await subject.started()
            let lines = String(decoding: try await subject.exited().output, as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.prefix(2) == ["\(pid)", "/usr/bin"])
            // The shell itself adds PWD, and bash some more; none of ours is among them.
            #expect(lines.contains("ONLY=this") && lines.contains("and that"))
            #expect(!lines.contains { $0.hasPrefix("HOME=") })
            #expect(lines.suffix(3) == ["a b", "", ""])
        }
    }

    @Test("argv[0] is the program as written")
    func name() async throws {
        try await Rig.run { rig in
            let plan = LaunchPlan(
                program: "cat", arguments: ["/proc/self/cmdline"], environment: ["PATH": "/usr/bin:/bin"],
                workingDirectory: "/")
            let subject = try await rig.upstream(plan)
            try await subject.perform { $0.start() }
            _ = try await subject.started()
            #expect(String(decoding: try await subject.exited().output, as: UTF8.self) == "cat\0/proc/self/cmdline\0")
        }
    }

    @Test("fifty at once start, answer and stop")
    func many() async throws {
        try await Rig.run { rig in
            var subjects: [Subject] = []
            for _ in 0..<50 {
                let subject = try await rig.upstream(.shell("exec cat"))
                try await subject.perform { $0.start() }
                subjects.append(subject)
            }
            for (number, subject) in subjects.enumerated() {
                _ = try await subject.started()
                try await subject.send("\(number)\n")
                #expect(try await subject.line() == "\(number)")
            }
            for subject in subjects { try await subject.stop(grace: 10) }
        }
    }

    private func output(_ script: String) async throws -> String {
        try await Rig.run { rig in
            let (subject, _) = try await rig.shell(script)
            let end = try await subject.exited()
            #expect(end.status == .exited(code: 0))
            return String(decoding: end.output, as: UTF8.self)
        }
    }
}
