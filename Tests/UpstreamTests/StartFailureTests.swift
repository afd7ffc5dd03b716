import Glibc
import NIOCore
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(1))) struct StartFailureTests {
    @Test(
        "a missing program names where it was looked for and how to get it",
        arguments: [
            ("npx", "install the Debian package npm"),
            ("uvx", "install uv: the Debian package pipx brings it with 'pipx install uv'"),
            ("python3", "install the Debian package python3"),
            ("node", "install the Debian package nodejs"),
            ("no-such-server", "install it, or correct proxy.upstream.command"),
        ])
    func missing(program: String, remedy: String) async throws {
        let failure = try await failure(of: plan(program, path: "/nowhere:/not/here"))
        #expect(failure.stage == .lookup)
        #expect(
            failure.description
                == "upstream program '\(program)' cannot be started: not found in PATH (/nowhere:/not/here); \(remedy)")
    }

    @Test("a path that does not exist is shown in full")
    func missingPath() async throws {
        let failure = try await failure(of: plan("bin/server"))
        #expect(
            failure.description == "upstream program 'bin/server' cannot be started: '//bin/server': "
                + "no such file or directory (relative paths start at '/'); "
                + "install it, or correct proxy.upstream.command")
    }

    @Test("a file without the execute bit, and a folder, are told apart from nothing")
    func notExecutable() async throws {
        try await withFolder { folder in
            try write("#!/bin/sh\n", to: "\(folder)/server", mode: 0o644)
            for (program, path) in [("\(folder)/server", "/bin"), ("server", "/nowhere:\(folder)"), (folder, "/bin")] {
                let failure = try await failure(of: plan(program, path: path))
                #expect(failure.stage == .lookup)
                #expect(failure.errno == EACCES)
                #expect(failure.description.contains("is not an executable file; make it one with chmod +x"))
            }
        }
    }

    @Test("a script whose interpreter is missing says so")
    func missingInterpreter() async throws {
        try await withFolder { folder in
            try write("#!/no/such/interpreter\n", to: "\(folder)/server", mode: 0o755)
            let failure = try await failure(of: plan("\(folder)/server"))
            #expect(failure.stage == .execution)
            #expect(
                failure.description.hasSuffix(
                    "'\(folder)/server' exists, but the interpreter that it needs does not; "
                        + "install the one in its first line"))
        }
    }

    @Test("a file that is no program is not handed to a shell")
    func notAProgram() async throws {
        try await withFolder { folder in
            try write("echo run by a shell\n", to: "\(folder)/server", mode: 0o755)
            let failure = try await failure(of: plan("\(folder)/server"))
            #expect(failure.stage == .execution)
            #expect(failure.errno == ENOEXEC)
        }
    }

    @Test(
        "a bad working directory is named",
        arguments: [("/no/such/folder", "no such file or directory"), ("/etc/passwd", "not a directory")])
    func workingDirectory(path: String, reason: String) async throws {
        var plan = plan("sh")
        plan.workingDirectory = path
        let failure = try await failure(of: plan)
        #expect(failure.stage == .workingDirectory)
        #expect(
            failure.description == "upstream program 'sh' cannot be started: working directory '\(path)': \(reason); "
                + "set proxy.upstream.cwd to a directory that exists and may be entered")
    }

    @Test("the gateway's own program is refused with both paths, under any name")
    func ownExecutable() async throws {
        try await withFolder { folder in
            try #require(symlink("/bin/cat", "\(folder)/shadow") == 0)
            try #require(symlink("/bin/cat", "\(folder)/own") == 0)
            let lookup = ProgramLookup(ownExecutable: "\(folder)/own")
            let failure = try await failure(of: plan("shadow", path: folder), lookup: lookup)
            #expect(failure.stage == .ownExecutable(path: "/bin/cat"))
            #expect(failure.description.contains("'\(folder)/shadow' is this gateway itself ('/bin/cat')"))
        }
    }

    @Test("the search takes the first program that may be executed, and an empty entry as the working directory")
    func search() async throws {
        try await withFolder { folder in
            try write("", to: "\(folder)/a", mode: 0o644)
            try #require(mkdir("\(folder)/bin", 0o755) == 0)
            try write("#!/bin/sh\n", to: "\(folder)/bin/a", mode: 0o755)
            try write("#!/bin/sh\n", to: "\(folder)/b", mode: 0o755)
            var plan = plan("a", path: "\(folder):bin")
            plan.workingDirectory = folder
            #expect(try ProgramLookup().resolve(plan) == "\(folder)/bin/a")
            plan.program = "b"
            plan.environment["PATH"] = "/nowhere::/bin"
            #expect(try ProgramLookup().resolve(plan) == "\(folder)/b")
        }
    }

    @Test("the child's own PATH decides, and without one the system's places")
    func childPath() throws {
        var plan = plan("sh", path: "/nowhere")
        #expect(throws: StartFailure(plan, stage: .lookup, errno: ENOENT)) { try ProgramLookup().resolve(plan) }
        plan.environment = [:]
        #expect(try ProgramLookup().resolve(plan) == "/bin/sh")
    }

    @Test(
        "what C strings cannot carry is refused",
        arguments: [
            LaunchPlan(program: "", arguments: [], environment: [:], workingDirectory: "/"),
            LaunchPlan(program: "sh", arguments: ["a\0b"], environment: [:], workingDirectory: "/"),
            LaunchPlan(program: "sh", arguments: [], environment: ["A": "a\0b"], workingDirectory: "/"),
            LaunchPlan(program: "sh", arguments: [], environment: ["A=B": "c"], workingDirectory: "/"),
            LaunchPlan(program: "sh", arguments: [], environment: ["": "c"], workingDirectory: "/"),
        ])
    func unrepresentable(plan: LaunchPlan) async throws {
        let failure = try await failure(of: plan)
        guard case .plan = failure.stage else {
            Issue.record("refused at \(failure.stage)")
            return
        }
        #expect(failure.description.contains("; correct proxy.upstream"))
    }

    @Test("an environment value never shows in a failure")
    func noSecrets() async throws {
        var plan = plan("no-such-server")
        plan.environment["API_KEY"] = "hunter2"
        let failure = try await failure(of: plan)
        #expect(!"\(failure)".contains("hunter2"))
        var text = ""
        dump(failure, to: &text)
        #expect(!text.contains("hunter2"))
    }

    @Test("failed starts leave no descriptor and no child behind", arguments: ["script", "missing", "unentered"])
    func nothingLeaks(kind: String) async throws {
        try await withFolder { folder in
            try write("echo run by a shell\n", to: "\(folder)/script", mode: 0o755)
            try await Rig.run { rig in
                // In a process of its own: this one's descriptors are everybody's.
                let directory = kind == "unentered" ? "\(folder)/nowhere" : folder
                let (probe, _) = try await rig.probe(["--failing", "./\(kind)", directory])
                #expect(try await probe.line() == "failed 50 times, descriptors left 0, children left 1")
            }
        }
    }

    private func plan(_ program: String, path: String = "/usr/bin:/bin") -> LaunchPlan {
        LaunchPlan(program: program, arguments: [], environment: ["PATH": path], workingDirectory: "/")
    }

    private func failure(of plan: LaunchPlan, lookup: ProgramLookup = ProgramLookup()) async throws -> StartFailure {
        try await Rig.run(lookup: lookup) { rig in try await Self.failure(of: plan, rig) }
    }

    private static func failure(of plan: LaunchPlan, _ rig: Rig) async throws -> StartFailure {
        let subject = try await rig.upstream(plan)
        try await subject.perform { $0.start() }
        let event = try await subject.next()
        guard case .startFailed(let failure, .gaveUp(retryAfter: nil)) = event else { throw Unexpected(event: event) }
        return failure
    }
}
