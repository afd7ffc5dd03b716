public import GatewayConfiguration
public import GatewayEvents

/// A configuration that was read and found valid, with the flags applied.
public struct Candidate: Sendable {
    /// What would run.
    public var loaded: LoadedConfiguration
    /// What the files say, before the flags.
    public var written: Settings
    /// What beat them.
    public var flags: CommandLineFlags
    /// Where `.env` stands.
    public var environmentSource: EnvironmentSource
    /// What the operator should know besides.
    public var notes: [String]
}

/// Why a configuration was not taken, one problem each, with file:line:column where there is one.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// Never empty.
    public var problems: [String]
    /// Where `.env` stands.
    public var environmentSource: EnvironmentSource

    /// Joins a refusal's parts.
    public init(problems: [String], environmentSource: EnvironmentSource) {
        self.problems = problems
        self.environmentSource = environmentSource
    }

    /// One problem a line.
    public var description: String { problems.joined(separator: "\n") }
}

/// The files of one process: found once at its start, read again at every reload.
public struct ConfigurationFiles: Sendable {
    /// The YAML file.
    public let configPath: String
    /// The `.env` file that was named or found at the start; nil when there was none.
    public let dotenvPath: String?
    /// Whether it was named, by `--dotenv-path` or the environment.
    public let isDotenvNamed: Bool
    /// The process's environment as it was at the start. Never modified: each reading lays `.env` over it anew.
    public let environment: [String: String]
    /// The process's working directory at the start.
    public let workingDirectory: String
    /// What the command line says.
    public let flags: CommandLineFlags
    /// Where container images bind their `.env`; tests name another place.
    var bindMountPrefix = "/app/"

    /// Joins what the start found.
    public init(
        configPath: String, dotenvPath: String?, isDotenvNamed: Bool, environment: [String: String],
        workingDirectory: String, flags: CommandLineFlags
    ) {
        self.configPath = configPath
        self.dotenvPath = dotenvPath
        self.isDotenvNamed = isDotenvNamed
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.flags = flags
    }

    /// The files as a start would find them now.
    public func foundAnew() -> ConfigurationFiles {
        let found = ConfigurationSearch.dotenv(configPath: configPath, workingDirectory: workingDirectory)
        return ConfigurationFiles(
            configPath: configPath, dotenvPath: isDotenvNamed ? dotenvPath : found, isDotenvNamed: isDotenvNamed,
            environment: environment, workingDirectory: workingDirectory, flags: flags)
    }

    /// Reads both files once and validates them. Blocks: never on the loop, except at the start.
    public func read(_ occasion: ConfigurationReader.Occasion) throws(Refusal) -> Candidate {
        let (source, notes) = try environmentSource(occasion)
        do {
            var loaded = try ConfigurationReader.read(
                configPath: configPath, dotenvPath: dotenvPath, environment: environment,
                homeDirectory: environment["HOME"] ?? "/", mode: occasion)
            let written = loaded.settings
            flags.apply(to: &loaded.settings)
            if let problem = loaded.programProblem(ownExecutable: "/proc/self/exe") {
                throw ConfigurationError(problems: [problem])
            }
            return Candidate(
                loaded: loaded, written: written, flags: flags, environmentSource: source, notes: notes)
        } catch {
            let problems = (error as? ConfigurationError)?.problems.map { "\($0)" } ?? ["\(error)"]
            throw Refusal(problems: problems, environmentSource: source)
        }
    }

    /// Whether the recorded `.env` is still there. At the start whatever was found is the recorded one, and a file that
    /// was named and does not exist is the reader's to refuse.
    private func environmentSource(
        _ occasion: ConfigurationReader.Occasion
    ) throws(Refusal) -> (EnvironmentSource, notes: [String]) {
        let found = ConfigurationSearch.dotenv(configPath: configPath, workingDirectory: workingDirectory)
        guard let recorded = dotenvPath else {
            let notes = found.map {
                ["\($0) was not there at the start and is not read: a restart adopts it"]
            }
            return (.none, occasion == .reload ? notes ?? [] : [])
        }
        if occasion == .start || ConfigurationSearch.exists(recorded) {
            return (recorded.hasPrefix(bindMountPrefix) ? .liveBindMounted : .live, [])
        }
        // A restart would look for a file that was named by that name again.
        let remedy = "put it back (an empty one is valid)" + (isDotenvNamed ? "" : ", or restart")
        guard let found, found != recorded else {
            throw Refusal(problems: ["\(recorded): the .env file is gone; \(remedy)"], environmentSource: .missing)
        }
        let meaning =
            isDotenvNamed
            ? "\(remedy): \(found) was found, but --dotenv-path or ZSCALER_MCP_DOTENV_PATH names this one"
            : "\(found) was found, which a restart adopts"
        throw Refusal(
            problems: ["\(recorded): the .env file is gone; \(meaning)"], environmentSource: .freshDiscovery)
    }
}
