public import ArgumentParser
internal import Daemon

/// The program, under both of its names.
public struct GatekitCommand: ParsableCommand {
    /// What `--help` says.
    public static let configuration = CommandConfiguration(
        commandName: "gatekit",
        abstract: "An MCP gateway: one supervised upstream, an allowlist of tools, an audit log that cannot lie.",
        discussion: """
            Without a subcommand it serves in the foreground. Clients such as Claude Desktop launch it so and talk to \
            it on stdin and stdout; with transport unix it listens on a socket for many clients.

              gatekit --config gatekit.yaml          serve
              gatekit check --config gatekit.yaml    say what would run, or every mistake with its line

            Exit codes: 0 done, 1 refused or failed, 2 usage.
            """,
        version: GatekitVersion.text,
        subcommands: [ServeCommand.self, CheckCommand.self],
        defaultSubcommand: ServeCommand.self)

    /// For ArgumentParser.
    public init() {}

    /// Runs the program and returns its exit code: ArgumentParser's own for a usage error is 64, ours is 2.
    public static func run(arguments: [String]) -> Int32 {
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            FileDescriptorText.write(text, toError: code != .success)
            return code == .success ? 0 : 2
        }
    }
}
