internal import ArgumentParser
internal import GatewayConfiguration

/// Where the configuration is: the same options for every command.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The YAML file. Without it: ./gatekit.yaml, ~/.config/gatekit/config.yaml, /etc/gatekit/gatekit.yaml.",
            valueName: "file"))
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The .env file. Without it: .env beside the configuration file, else in the working directory.",
            valueName: "file"))
    var dotenvPath: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Doors to open instead of the file's: stdio, unix, http, or several with commas.",
            valueName: "list"),
        transform: Self.transports)
    var transport: [Transport]?

    private static func transports(_ text: String) throws -> [Transport] {
        try text.split(separator: ",").map { name in
            guard let transport = Transport(rawValue: name.trimmingPrefix { $0 == " " }.description) else {
                let valid = Transport.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("unknown transport '\(name)' (valid: \(valid))")
            }
            return transport
        }
    }
}
