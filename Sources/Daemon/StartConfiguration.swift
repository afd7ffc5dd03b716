internal import GatewayConfiguration
internal import GatewayEvents
internal import Glibc
internal import ToolPolicy
internal import Upstream

/// The configuration of one start, and what is built from it.
struct StartConfiguration {
    let loaded: LoadedConfiguration
    let settings: Settings

    /// Finds and reads the files. Throws a text that holds every problem, one a line.
    static func load(_ options: ServeOptions) throws -> StartConfiguration {
        let environment = ProcessEnvironment.read()
        let home = environment["HOME"] ?? "/"
        let directory = ProcessEnvironment.workingDirectory()
        let path = try options.configPath ?? search(options, environment, directory, home)
        let dotenv =
            options.dotenvPath ?? environment["ZSCALER_MCP_DOTENV_PATH"]
            ?? ConfigurationSearch.dotenv(configPath: path, workingDirectory: directory)
        var loaded = try ConfigurationReader.read(
            configPath: path, dotenvPath: dotenv, environment: environment, homeDirectory: home, mode: .start)
        if let transports = options.transports { loaded.settings.transports = transports }
        if let problem = loaded.programProblem(ownExecutable: "/proc/self/exe") {
            throw ConfigurationError(problems: [problem])
        }
        return StartConfiguration(loaded: loaded, settings: loaded.settings)
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

    /// The snapshot of one generation.
    func snapshot(generation: Int) -> Snapshot {
        Snapshot(
            generation: generation, configHash: String(loaded.configHash.prefix(8)), settings: settings,
            policies: PolicyChain(
                settings.toolAllowlists.map(ToolAllowlist.init), maxDepth: settings.limits.maxDepth))
    }

    /// How an upstream is started.
    var launchPlan: (Snapshot) -> LaunchPlan {
        let environment = loaded.upstreamEnvironment()
        let directory = ProcessEnvironment.workingDirectory()
        return { snapshot in
            // The reader refuses an empty command.
            let command = snapshot.settings.upstream.command
            return LaunchPlan(
                program: command[0], arguments: Array(command.dropFirst()), environment: environment,
                workingDirectory: snapshot.settings.upstream.workingDirectory ?? directory)
        }
    }

    /// How often an upstream is started again: a lone stdio client is told after three tries, a daemon goes on.
    var restartPolicy: (Snapshot) -> RestartPolicy {
        { snapshot in
            let upstream = snapshot.settings.upstream
            guard upstream.restartOnFailure else { return .never }
            return snapshot.settings.transports == [.stdio]
                ? .session(attempts: upstream.maxRestartAttempts) : .daemon(attempts: upstream.maxRestartAttempts)
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

/// The process's environment and working directory.
enum ProcessEnvironment {
    /// Every variable; read once, at the start.
    static func read() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let variable = String(cString: text)
            if let equals = variable.firstIndex(of: "=") {
                variables[String(variable[..<equals])] = String(variable[variable.index(after: equals)...])
            }
            entry += 1
        }
        return variables
    }

    /// Absolute; `/` when it has been deleted.
    static func workingDirectory() -> String {
        guard let buffer = getcwd(nil, 0) else { return "/" }
        defer { free(buffer) }
        return String(cString: buffer)
    }
}
