internal import GatewayConfiguration
internal import Glibc
internal import Reload

/// What a process finds out about itself before it reads its configuration.
struct Start {
    let files: ConfigurationFiles
    let environment: [String: String]

    /// Finds the files that the options, the environment and the usual places name.
    /// - Throws: ``NoConfiguration``.
    init(_ options: ServeOptions) throws {
        environment = ProcessEnvironment.read()
        let home = environment["HOME"] ?? "/"
        let directory = ProcessEnvironment.workingDirectory()
        let path = try options.configPath ?? Self.search(options, environment, directory, home)
        let named = options.dotenvPath ?? environment["ZSCALER_MCP_DOTENV_PATH"]
        let dotenv = named ?? ConfigurationSearch.dotenv(configPath: path, workingDirectory: directory)
        let isDebug = options.isVerbose || options.showsMessages
        files = ConfigurationFiles(
            configPath: path, dotenvPath: dotenv, isDotenvNamed: named != nil, environment: environment,
            workingDirectory: directory,
            flags: CommandLineFlags(
                transports: options.transports, logsToolCalls: options.logsToolCalls,
                logLevel: isDebug ? .debug : nil))
    }

    private static func search(
        _ options: ServeOptions, _ environment: [String: String], _ directory: String, _ home: String
    ) throws -> String {
        if let path = environment["GATEKIT_CONFIG"], !path.isEmpty { return path }
        switch ConfigurationReader.search(
            invokedAs: options.invokedAs, workingDirectory: directory, homeDirectory: home)
        {
        case .found(let path): return path
        case .notFound(let places): throw NoConfiguration(places: places)
        }
    }
}

/// No configuration file in any of the usual places.
struct NoConfiguration: Error, CustomStringConvertible {
    let places: [String]

    var description: String {
        """
        no configuration file found; looked for \(places.joined(separator: ", "))
        name one with --config, or copy the commented example: cp etc/gatekit.yaml gatekit.yaml
        """
    }
}
