import GatewayEvents
import Glibc
import Testing

@testable import ControlPlane

@Suite("Commands to a running instance")
struct RequestTests {
    private let scratch: ScratchDirectory
    private let path: String
    private let selection: InstanceSelection

    init() throws {
        scratch = try ScratchDirectory()
        path = "\(scratch.path)/home/.gatekit/server.pid"
        scratch.directory("run")
        scratch.directory("home")
        scratch.directory("home/.gatekit")
        selection = InstanceSelection(
            places: ControlPlaces(
                environment: [:], home: "\(scratch.path)/home", workingDirectory: "/", root: scratch.path),
            config: nil, program: "zscaler-mcp")
    }

    /// An instance with this process's pid, or a child's.
    private func server(_ process: ProcessIdentity? = nil) throws -> LiveServer {
        let process = try process ?? .own()
        let server = try LiveServer(
            ControlPlaces.controlSocket(of: path), status: .example(pid: process.pid))
        try PIDFile.example(process, control: server.path).write(to: path)
        return server
    }

    private func reload(json: Bool = false, timeout: Double = 20, _ signalled: @escaping () throws -> Void)
        -> CommandResult
    {
        ReloadRequest.run(selection, timeout: timeout, json: json) { _ throws(ControlError) in
            do {
                try signalled()
            } catch {
                throw ControlError(.systemCall, "the test failed: \(error)")
            }
        }
    }

    @Test("reload: says what changed")
    func applied() throws {
        let server = try server()
        let result = reload {
            try server.publish(.example(changes: ["tool_allowlist"], notes: ["--transport makes x ineffective"]))
        }
        #expect(
            result
                == CommandResult(
                    code: 0,
                    output: """
                        Sent SIGHUP to zscaler-mcp (pid=\(getpid())). MCP sessions preserved.
                        changed: tool_allowlist
                        note: --transport makes x ineffective
                        env: live
                        generation 4 -> 5 (hash 1a2b3c4d, 4.2 ms)

                        """))
    }

    @Test("reload: says that nothing changed")
    func unchanged() throws {
        let server = try server()
        #expect(
            reload { try server.publish(.example(.unchanged, generation: 4)) }
                == CommandResult(
                    code: 0,
                    output: """
                        Sent SIGHUP to zscaler-mcp (pid=\(getpid())). MCP sessions preserved.
                        env: live
                        nothing changed: generation 4 stays in force (hash 1a2b3c4d, 4.2 ms)

                        """))
    }

    @Test("reload: says why it was refused, on stderr, without letting the text forge anything")
    func refused() throws {
        let server = try server()
        let result = reload {
            try server.publish(.example(.refused, generation: 4, problems: ["g.yaml:3:5: unknown key '\u{1B}[2J'"]))
        }
        #expect(
            result
                == CommandResult(
                    code: 1,
                    errors: """
                        reload refused, still enforcing generation 4
                          g.yaml:3:5: unknown key '\\u{1b}[2J'
                        env: live

                        """))
    }

    @Test("reload: an outcome of a reload that began before the signal is not ours")
    func earlier() throws {
        let server = try server()
        let before = ControlTime.monotonic()
        let result = reload {
            try server.publish(.example(.refused, began: before, generation: 4, problems: ["old"]))
            try server.publish(.example(.applied))
        }
        #expect(result.code == 0)
        #expect(result.output.contains("generation 4 -> 5"))
    }

    @Test("reload: one JSON object on request, with the exit code of its outcome")
    func json() throws {
        let server = try server()
        let result = reload(json: true) {
            try server.publish(.example(.refused, generation: 4, problems: ["no"]))
        }
        #expect(result.code == 1)
        #expect(result.errors.isEmpty)
        let report = try ControlJSON.decode(ReloadRequest.Report.self, from: result.output.utf8)
        #expect(report.pid == getpid())
        #expect(report.previousGeneration == 4)
        #expect(report.reload.problems == ["no"])
    }

    @Test("reload: says that the outcome did not come in time")
    func late() throws {
        let server = try server()
        let result = reload(timeout: 0.001) {}
        #expect(result.code == 1)
        #expect(result.errors.hasPrefix("pid \(getpid()) got SIGHUP but reported no outcome within 0.001 s"))
        try server.close()
    }

    @Test("reload: says that the instance ended meanwhile")
    func ended() throws {
        let child = try ChildProcess()
        let server = try server(try child.identity())
        let result = reload {
            kill(child.pid, SIGKILL)
            try server.close()
        }
        #expect(
            result == CommandResult(code: 1, errors: "pid \(child.pid) ended before the reload did; its log says why\n")
        )
    }

    @Test("reload: a living instance that does not answer is no instance that is not running")
    func silent() throws {
        try PIDFile.example(try .own(), control: "\(scratch.path)/none.control").write(to: path)
        #expect(
            reload {}
                == CommandResult(
                    code: 1,
                    errors: "pid \(getpid()) is running but does not answer: it may be starting or ending (connect "
                        + "\(scratch.path)/none.control: No such file or directory)\n"))
    }

    @Test("status: prints the instance's, or the same as JSON")
    func status() throws {
        let server = try server()
        #expect(
            StatusRequest.run(selection, json: false)
                == CommandResult(code: 0, output: StatusReport.example().text))
        let result = StatusRequest.run(selection, json: true)
        #expect(result.code == 0)
        #expect(try ControlJSON.decode(StatusReport.self, from: result.output.utf8) == .example())
        try server.close()
    }

    @Test("nothing running: exit code 3, with every place and what was there")
    func nothing() throws {
        var reused = try ProcessIdentity.own()
        reused.startTime -= 1
        try PIDFile.example(reused).write(to: path)
        scratch.directory("run/gatekit-b")
        let text = """
            no instance is running; looked at:
              \(scratch.path)/run/gatekit/gatekit.pid: no file
              \(path): stale: pid \(getpid()) belongs to another process by now, which is left alone
              \(scratch.path)/run/gatekit-b/gatekit.pid: no file

            """
        #expect(reload {} == CommandResult(code: 3, errors: text))
        #expect(StatusRequest.run(selection, json: false) == CommandResult(code: 3, errors: text))
        #expect(StopRequest.run(selection, timeout: 1) == CommandResult(code: 3, errors: text))
        #expect(RestartRequest.run(selection, timeout: 1) == CommandResult(code: 3, errors: text))
        #expect(StatusRequest.run(selection, json: true).output.contains("\"state\" : \"not running\""))
    }

    @Test("several running: a list, from which --config chooses")
    func several() throws {
        let server = try server()
        let child = try ChildProcess()
        let other = "\(scratch.path)/run/gatekit-b/gatekit.pid"
        scratch.directory("run/gatekit-b")
        try PIDFile.example(try child.identity(), config: "/b.yaml", control: "/none").write(to: other)
        let result = StatusRequest.run(selection, json: false)
        #expect(
            result
                == CommandResult(
                    code: 1,
                    errors: """
                        2 instances are running; choose one with --config, --pid-file or --instance:
                          pid \(getpid())  unix  /etc/gatekit/gatekit.yaml  \(path)
                          pid \(child.pid)  unix  /b.yaml  \(other)

                        """))
        var chosen = selection
        chosen.config = "/etc/gatekit/gatekit.yaml"
        #expect(StatusRequest.run(chosen, json: false).code == 0)
        chosen.config = "/c.yaml"
        let none = StatusRequest.run(chosen, json: false)
        #expect(none.code == 3)
        #expect(none.errors.hasPrefix("no running instance uses /c.yaml; looked at:\n"))
        try server.close()
    }

    @Test("stop: ends the process and waits for it")
    func stop() throws {
        let child = try ChildProcess()
        try PIDFile.example(try child.identity()).write(to: path)
        let result = StopRequest.run(selection, timeout: 20)
        #expect(result.code == 0)
        #expect(result.output.hasPrefix("Stopped zscaler-mcp (pid=\(child.pid)) in "))
        #expect(ProcessIdentity.of(child.pid) == nil)
    }

    @Test("stop: says that the process takes longer")
    func stubborn() throws {
        let child = try ChildProcess("trap '' TERM; echo ready; exec sleep 1000")
        try PIDFile.example(try child.identity()).write(to: path)
        let result = StopRequest.run(selection, timeout: 0.01)
        #expect(result.code == 1)
        #expect(result.errors.hasPrefix("pid \(child.pid) got SIGTERM and has not ended within 0.01 s"))
    }

    @Test("restart: waits for the next image under the same pid")
    func restart() throws {
        let server = try server()
        let result = RestartRequest.run(selection, timeout: 20) { _ throws(ControlError) in
            do {
                try server.setStatus {
                    $0.startedAt = "2026-01-02T03:04:07.000000Z"
                    $0.version = "0.2.0"
                }
            } catch {
                throw ControlError(.systemCall, "the test failed: \(error)")
            }
        }
        #expect(result.code == 0)
        #expect(result.output.hasPrefix("Restarted zscaler-mcp (pid=\(getpid())) in "))
        #expect(result.output.hasSuffix(": version 0.1.0 -> 0.2.0, hash 1a2b3c4d\n"))
    }

    @Test("restart: says that the process ended, or stays the same image")
    func failedRestart() throws {
        let child = try ChildProcess()
        let server = try server(try child.identity())
        let same = RestartRequest.run(selection, timeout: 0.001) { _ in }
        #expect(
            same == CommandResult(code: 1, errors: "pid \(child.pid) got SIGUSR2 but has not started again in time\n"))
        let ended = RestartRequest.run(selection, timeout: 20)
        #expect(
            ended
                == CommandResult(
                    code: 1, errors: "pid \(child.pid) ended instead of starting again; its log says why\n"))
        try server.close()
    }
}
