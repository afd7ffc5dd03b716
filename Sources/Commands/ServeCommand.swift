internal import ArgumentParser
internal import Daemon

/// `gatekit --config F`: serve in the foreground.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve in the foreground (what happens without a subcommand).")

    @OptionGroup var options: ConfigurationOptions

    @Flag(name: .long, help: "Log at level DEBUG.")
    var verbose = false

    func run() throws {
        let code = Daemon.serve(
            ServeOptions(
                configPath: options.config, dotenvPath: options.dotenvPath, transports: options.transport,
                isVerbose: verbose, invokedAs: CommandLine.arguments.first ?? "gatekit"))
        throw ExitCode(code)
    }
}
