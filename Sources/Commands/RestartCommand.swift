internal import ArgumentParser
internal import ControlPlane

/// `gatekit restart`: SIGUSR2, and the next program image under the same pid.
struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", _superCommandName: "gatekit",
        abstract: "Replace the running program by the installed one, same pid, and wait until it answers.",
        discussion: """
            Sends SIGUSR2. Needed after an upgrade and for the settings that a reload cannot change; sessions end, so \
            prefer 'gatekit reload' for everything else.

              gatekit restart
              gatekit restart --instance staging --timeout 120

            Exit codes: 0 the new image answers, 1 it ended or did not answer in time, 2 usage, 3 not running.
            """)

    @OptionGroup var options: InstanceOptions

    @Option(
        name: .long, help: ArgumentHelp("How long to wait for the new image.", valueName: "seconds"),
        transform: InstanceOptions.seconds)
    var timeout = 60.0

    func run() throws {
        try RestartRequest.run(options.selection, timeout: timeout).finish()
    }
}
