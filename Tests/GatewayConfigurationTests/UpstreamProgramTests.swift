import Glibc
import Testing

@testable import GatewayConfiguration

@Suite("The upstream's program")
struct UpstreamProgramTests {
    private func problem(_ command: String, path: String, own: String = "/nowhere") throws -> String? {
        let loaded = try ConfigurationFixture.read(
            ConfigurationFixture.upstream(command: command), environment: ["PATH": path])
        return loaded.programProblem(ownExecutable: own)?.description
    }

    @Test("a program in PATH, or named by its path, is no problem")
    func found() throws {
        let directory = try TemporaryDirectory()
        let program = try directory.write("server", [])
        #expect(chmod(program, 0o700) == 0)
        #expect(try problem("server", path: "/nowhere:\(directory.path)") == nil)
        #expect(try problem(program, path: "") == nil)
    }

    @Test(
        "a missing program is named, a usual launcher with its package",
        arguments: [
            ("npx -y server", "'npx' is not found in PATH; install Debian's package npm"),
            ("uvx server", "'uvx' is not found in PATH; install Debian's package pipx, then run: pipx install uv"),
            ("python3 -m x", "'python3' is not found in PATH; install Debian's package python3"),
            ("server", "'server' is not found in PATH; install it or name its full path"),
            ("/nowhere/npx", "'/nowhere/npx' is no program that can be run; install it or name its full path"),
            ("/", "'/' is no program that can be run; install it or name its full path"),
        ])
    func missing(_ command: String, _ message: String) throws {
        #expect(try problem(command, path: "/nowhere") == "/etc/gatekit/test.yaml:3:14: the upstream's \(message)")
    }

    @Test("a file that cannot be executed is passed over")
    func notExecutable() throws {
        let directory = try TemporaryDirectory()
        #expect(chmod(try directory.write("server", []), 0o600) == 0)
        #expect(try problem("server", path: directory.path)?.contains("is not found in PATH") == true)
    }

    @Test("the gateway itself under another name is refused, with both paths")
    func itself() throws {
        let directory = try TemporaryDirectory()
        let own = try directory.write("gatekit", [])
        #expect(chmod(own, 0o700) == 0)
        let other = directory.path + "/zscaler-mcp"
        #expect(symlink(own, other) == 0)
        let message = try #require(try problem("zscaler-mcp", path: directory.path, own: own))
        #expect(message.contains("'zscaler-mcp' is \(other), which is this gateway itself (\(own))"))
    }
}
