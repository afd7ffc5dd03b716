internal import ArgumentParser
internal import ControlPlane

/// `gatekit stop`: SIGTERM, and the clean end.
struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", _superCommandName: "gatekit",
        abstract: "End the running instance cleanly and wait until it has gone.",
        discussion: """
            Sends SIGTERM. Calls in flight are answered or failed with an error, everything is audited, the upstream \
            is ended; then the process goes. Under systemd, 'systemctl stop gatekit' keeps it from being started again.

              gatekit stop
              gatekit stop --pid-file ~/.gatekit/server.pid --timeout 10

            Exit codes: 0 ended, 1 not ended in time or not permitted, 2 usage, 3 not running.
            """)

    @OptionGroup var options: InstanceOptions

    @Option(
        name: .long, help: ArgumentHelp("How long to wait for the end.", valueName: "seconds"),
        transform: InstanceOptions.seconds)
    var timeout = 30.0

    func run() throws {
        try StopRequest.run(options.selection, timeout: timeout).finish()
    }
}
