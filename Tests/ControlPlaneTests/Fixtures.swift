import FoundationEssentials
import GatewayEvents
import Glibc
import Testing

@testable import ControlPlane

/// A directory of its own for one test, gone afterwards.
final class ScratchDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/control-plane-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        // Left to /tmp if it cannot be removed.
        try? FileManager.default.removeItem(atPath: path)
    }

    @discardableResult
    func directory(_ name: String) -> String {
        mkdir("\(path)/\(name)", 0o755)
        return "\(path)/\(name)"
    }

    func write(_ text: String, to name: String) throws -> String {
        let file = try #require(fopen("\(path)/\(name)", "w"))
        fputs(text, file)
        fclose(file)
        return "\(path)/\(name)"
    }
}

/// A process to find, signal and wait for; killed with the fixture.
final class ChildProcess {
    let pid: Int32
    private let output: Int32

    /// Returns once the script has said something.
    init(_ script: String = "echo ready; exec sleep 1000") throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The test runner blocks or ignores signals that its children would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGUSR2)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let words: [String] = ["sh", "-c", script]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var child: Int32 = 0
        try #require(posix_spawn(&child, "/bin/sh", &actions, &attributes, &arguments, environ) == 0)
        pid = child
        output = ends[0]
        close(ends[1])
        var byte: UInt8 = 0
        try #require(read(output, &byte, 1) == 1)
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        close(output)
    }

    func identity() throws -> ProcessIdentity {
        try #require(ProcessIdentity.of(pid))
    }
}

extension PIDFile {
    static func example(_ process: ProcessIdentity, config: String = "/etc/gatekit/gatekit.yaml", control: String = "")
        -> PIDFile
    {
        PIDFile(
            process: process, startedAt: "2026-01-02T03:04:05.000006Z", version: "0.1.0", transport: "unix",
            dotenvPath: nil, configPath: config, argv: ["gatekit", "--config", config], control: control)
    }
}

extension StatusReport {
    static func example(pid: Int32 = getpid()) -> StatusReport {
        StatusReport(
            pid: pid, state: .running, uptimeSeconds: 8040, startedAt: "2026-01-02T03:04:05.000006Z", version: "0.1.0",
            configPath: "/etc/gatekit/gatekit.yaml",
            transports: [Door(name: "unix", address: "/run/gatekit/mcp.sock", path: "/run/gatekit/mcp.sock")],
            upstream: Upstream(name: "filesystem", state: .ready, pid: 15590, restarts: 1, era: "legacy"), sessions: 3,
            pending: 1, config: Configuration(generation: 4, hash: "1a2b3c4d"), lastReload: nil,
            environment: Environment(source: .live, path: "/etc/gatekit/.env"),
            audit: [
                Sink(
                    name: "/var/log/gatekit/audit.log", kind: "file", format: "json", records: 1204, bytes: 412_800)
            ])
    }
}

extension ReloadOutcome {
    static func example(
        _ result: Result = .applied, began: UInt64 = ControlTime.monotonic(), generation: Int = 5,
        changes: [String] = [], problems: [String] = [], notes: [String] = []
    ) -> ReloadOutcome {
        ReloadOutcome(
            result: result, began: began, time: 1_767_323_045_000_006_000, duration: 4_210_000, generation: generation,
            configHash: "1a2b3c4d", candidateHash: "5e6f7a8b", changes: changes, problems: problems, notes: notes,
            environmentSource: .live)
    }
}
