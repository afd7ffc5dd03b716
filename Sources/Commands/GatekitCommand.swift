public import ArgumentParser
internal import Daemon

/// The program, under both of its names. Without a subcommand it serves.
public struct GatekitCommand: ParsableCommand {
    /// What `--help` says.
    public static let configuration = CommandConfiguration(
        commandName: "gatekit",
        abstract: "An MCP gateway: one supervised upstream, an allowlist of tools, an audit log that cannot lie.",
        usage: """
            gatekit --config <file> [<options>]
            gatekit <subcommand> [<options>]
            """,
        discussion: """
            Without a subcommand it serves in the foreground. An MCP client such as Claude Desktop launches it in place \
            of the server and talks to it on stdin and stdout; with transport unix or http it listens for many clients \
            at once.

              gatekit --config F             serve; Ctrl-C or end of input ends it
              gatekit check --config F       what would run, or every mistake
              gatekit connect                join stdin and stdout to the running daemon
              gatekit reload                 take over an edited configuration
              gatekit status                 how the running instance is
              gatekit --config F --verbose   serve, and show the settings first

            The smallest gatekit.yaml:

              proxy:
                transport: stdio
                upstream:
                  command: "mcp-filesystem ~/claude-sandbox/"

            Options may stand before or after the subcommand. Signals: HUP reloads the configuration without \
            ending a session, USR1 reopens the audit files, USR2 restarts in place, TERM and INT end it cleanly. Exit \
            codes: 0 done, 1 refused or failed, 2 usage, 3 not running.
            """,
        version: GatekitVersion.text,
        subcommands: [
            CheckCommand.self, ConnectCommand.self, ReloadCommand.self, StatusCommand.self, StopCommand.self,
            RestartCommand.self,
        ])

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var serving: ServingOptions

    /// For ArgumentParser.
    public init() {}

    /// Serves.
    public func run() throws {
        let code = Daemon.serve(
            ServeOptions(
                configPath: options.config, dotenvPath: options.dotenvPath, transports: options.transport,
                logsToolCalls: serving.logToolCalls, pidFile: serving.pidFile, instance: serving.instance,
                isVerbose: serving.verbose, showsMessages: serving.debug,
                invokedAs: CommandLine.arguments.first ?? "gatekit"))
        throw ExitCode(code)
    }

    /// Runs the program and returns its exit code: ArgumentParser's own for a usage error is 64, ours is 2.
    public static func run(arguments: [String]) -> Int32 {
        let names = Set(configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"])
        let words = ArgumentOrder.subcommandFirst(arguments, subcommands: names)
        // A subcommand is parsed by itself: the parser would give the root the options that both have.
        let subcommand = configuration.subcommands.first { $0.configuration.commandName == words.first }
        return run(subcommand ?? GatekitCommand.self, subcommand == nil ? words : Array(words.dropFirst()))
    }

    private static func run(_ type: any ParsableCommand.Type, _ words: [String]) -> Int32 {
        do {
            var command = try type.parseAsRoot(words)
            try command.run()
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            let code = type.exitCode(for: error)
            let text = type.fullMessage(for: error)
            FileDescriptorText.write(text, toError: code != .success)
            return code == .success ? 0 : 2
        }
    }
}

/// What only a serving gateway is told.
struct ServingOptions: ParsableArguments {
    @Flag(
        name: .long,
        help: "Log each tool call as [TOOL CALL] and [TOOL OK] or [TOOL ERR], whatever ZSCALER_MCP_LOG_TOOL_CALLS says."
    )
    var logToolCalls = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The PID file. Without it: $RUNTIME_DIRECTORY/gatekit.pid, /run/gatekit/gatekit.pid, "
                + "$XDG_RUNTIME_DIR/gatekit.pid, ~/.gatekit/server.pid, the first that can be written.",
            valueName: "file"))
    var pidFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The PID file in /run/gatekit-<name>, for one of several daemons.", valueName: "name"))
    var instance: String?

    @Flag(name: .long, help: "Log at level DEBUG, beginning with the resolved settings; never the value of a secret.")
    var verbose = false

    @Flag(
        name: .long,
        help: ArgumentHelp(
            "Log every message on the wire, redacted and cut to 4096 bytes. Not for production; has nothing to do with "
                + "the audit."))
    var debug = false
}
