internal import ArgumentParser
internal import Daemon

/// `gatekit check`: what would run, or every mistake.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", _superCommandName: "gatekit",
        abstract: "Read the configuration and say what would run, or every mistake as file:line:column.",
        discussion: "Starts nothing and opens nothing. Exit code 0 when the configuration is valid, else 1.")

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let report = Daemon.check(
            ServeOptions(
                configPath: options.config, dotenvPath: options.dotenvPath, transports: options.transport,
                invokedAs: CommandLine.arguments.first ?? "gatekit"))
        FileDescriptorText.write(report.text, toError: !report.isValid)
        if !report.isValid { throw ExitCode(1) }
    }
}
