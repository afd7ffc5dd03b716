import GatewayConfiguration
import GatewayEvents
import Testing
import ToolPolicy
import Upstream

@testable import Reload

@Suite("From what the operator wrote to what the gateway runs on")
struct SnapshotAssemblyTests {
    private static func snapshot(
        _ upstream: [String] = ["command: [server, -v, two words]"], more: String = "", dotenv: String? = nil
    ) throws -> Snapshot {
        SnapshotAssembly.snapshot(
            of: try ReloadFixture.loaded(upstream: upstream, more: more, dotenv: dotenv), generation: 7)
    }

    @Test("a snapshot names its generation and the first 8 digits of its hash")
    func names() throws {
        let loaded = try ReloadFixture.loaded()
        let snapshot = SnapshotAssembly.snapshot(of: loaded, generation: 7)
        #expect(loaded.configHash.count == 64)
        #expect(loaded.shortHash.count == 8)
        #expect(loaded.configHash.hasPrefix(loaded.shortHash))
        #expect(snapshot.configHash == loaded.shortHash)
        #expect(snapshot.label == "7:\(loaded.shortHash)")
        #expect(snapshot.settings == loaded.settings)
    }

    @Test("a snapshot holds the upstream's whole environment, without the gateway's switches")
    func environment() throws {
        let snapshot = try Self.snapshot(
            ["command: server", "env: { A: yaml }"], dotenv: "A=dotenv\nB=dotenv\nGATEKIT_LOG_LEVEL=DEBUG\n")
        #expect(
            snapshot.upstreamEnvironment == ["HOME": "/home/u", "PATH": "/usr/bin", "A": "yaml", "B": "dotenv"])
    }

    @Test("the upstream is started as it was written, in its directory or the gateway's own")
    func launchPlan() throws {
        let plain = SnapshotAssembly.launchPlan(of: try Self.snapshot(), workingDirectory: "/own")
        #expect(
            plain
                == LaunchPlan(
                    program: "server", arguments: ["-v", "two words"], environment: ReloadFixture.environment,
                    workingDirectory: "/own"))
        let elsewhere = try Self.snapshot(["command: server", "cwd: /srv"])
        #expect(SnapshotAssembly.launchPlan(of: elsewhere, workingDirectory: "/own").workingDirectory == "/srv")
    }

    @Test(
        "a lone stdio session is told after three tries, a daemon goes on, unless it is set otherwise",
        arguments: [
            (transport: "stdio", upstream: [], expected: RestartPolicy.session()),
            ("unix", [], .daemon()),
            ("[stdio, unix]", [], .daemon()),
            ("stdio", ["max_restart_attempts: 5"], .session(attempts: 5)),
            ("unix", ["max_restart_attempts: 5"], .daemon(attempts: 5)),
            ("stdio", ["restart_on_failure: false"], .never),
            ("unix", ["restart_on_failure: false", "max_restart_attempts: 5"], .never),
        ])
    func restartPolicy(transport: String, upstream: [String], expected: RestartPolicy) throws {
        let snapshot = try Self.snapshot(["command: server"] + upstream, more: "  transport: \(transport)\n")
        #expect(SnapshotAssembly.restartPolicy(of: snapshot) == expected)
    }
}
