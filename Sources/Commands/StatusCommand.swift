internal import ArgumentParser
internal import ControlPlane

/// `gatekit status`: how the running instance stands.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", _superCommandName: "gatekit",
        abstract: "Say how the running instance stands: upstream, sessions, configuration, audit; trouble first.",
        discussion: """
              gatekit status
              gatekit status --json | jq .upstream.state

            Exit codes: 0 running, 1 it runs but may not or cannot be asked, 2 usage, 3 not running.
            """)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "Print one JSON object, whose keys are a stable interface.")
    var json = false

    func run() throws {
        try StatusRequest.run(options.selection, json: json).finish()
    }
}
