internal import ArgumentParser
internal import ControlPlane

/// Which running instance a command means: the same options for every command that talks to one.
struct InstanceOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Choose the instance that runs with this configuration file.", valueName: "file"))
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The instance's PID file. Without it: $RUNTIME_DIRECTORY/gatekit.pid, /run/gatekit/gatekit.pid, "
                + "/run/gatekit-*/gatekit.pid, $XDG_RUNTIME_DIR/gatekit.pid, ~/.gatekit/server.pid.",
            valueName: "file"))
    var pidFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Choose the instance whose PID file is in /run/gatekit-<name>.", valueName: "name"))
    var instance: String?

    func validate() throws {
        if pidFile != nil, instance != nil {
            throw ValidationError("--pid-file and --instance name the same thing: give one of them")
        }
        if let instance, !ControlPlaces.isInstanceName(instance) {
            throw ValidationError("'\(instance)' is no instance name (valid: letters, digits and _.-:@)")
        }
    }

    /// What the command asks for, under the name that it was called by.
    var selection: InstanceSelection {
        let called = CommandLine.arguments.first?.split(separator: "/").last
        return InstanceSelection(
            places: .ofProcess(explicit: pidFile, instance: instance), config: config,
            program: called == "zscaler-mcp" ? "zscaler-mcp" : "gatekit")
    }

    /// Seconds to wait, as `--timeout` takes them.
    static func seconds(_ text: String) throws -> Double {
        guard let seconds = Double(text), seconds > 0, seconds <= 86_400 else {
            throw ValidationError("'\(text)' is no number of seconds (valid: above 0, at most 86400)")
        }
        return seconds
    }
}

extension CommandResult {
    /// Prints the result and ends the command with its code.
    func finish() throws {
        FileDescriptorText.write(output, toError: false)
        FileDescriptorText.write(errors, toError: true)
        if code != 0 { throw ExitCode(code) }
    }
}
