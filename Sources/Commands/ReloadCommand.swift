internal import ArgumentParser
internal import ControlPlane

/// `gatekit reload`: SIGHUP, and what came of it.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", _superCommandName: "gatekit",
        abstract: "Read the configuration again without ending a session, wait, and say what changed.",
        discussion: """
            Sends SIGHUP to the running instance and waits for the outcome. A configuration with a mistake is refused \
            as a whole: the problems are printed with file:line:column and the old one stays in force.

              gatekit reload
              gatekit reload --config /etc/gatekit/gatekit.yaml
              gatekit reload --instance staging --json

            Exit codes: 0 in force (or nothing had changed), 1 refused or failed, 2 usage, 3 not running.
            """)

    @OptionGroup var options: InstanceOptions

    @Option(
        name: .long, help: ArgumentHelp("How long to wait for the outcome.", valueName: "seconds"),
        transform: InstanceOptions.seconds)
    var timeout = 300.0

    @Flag(name: .long, help: "Print the outcome as one JSON object.")
    var json = false

    func run() throws {
        try ReloadRequest.run(options.selection, timeout: timeout, json: json).finish()
    }
}
