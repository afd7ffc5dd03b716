/// From files to ``Settings``, with every problem in one go.
public enum ConfigurationReader {
    /// When a configuration is read, which decides whether the process's environment or `.env` wins.
    public enum Occasion: Hashable, Sendable {
        /// The process's environment beats `.env`.
        case start
        /// `.env` beats the process's environment; a name gone from the file has its start value again.
        case reload
    }

    /// Reads, parses, interpolates and validates. Pure apart from reading the two named files, and those that the
    /// configuration itself names, each once.
    ///
    /// - Parameters:
    ///   - configPath: the YAML file. A relative path is taken from the working directory; problems name the file as
    ///     it is given here.
    ///   - dotenvPath: the `.env` file, which must exist when named; nil for none. See ``ConfigurationSearch``.
    ///   - environment: the process's environment as it was at the start, at every reload too.
    ///   - homeDirectory: absolute; what `~/` stands for. Empty when not known: then a `~/` is a problem.
    ///   - mode: start or reload.
    /// - Throws: every problem of all files, sorted by position. When `.env` is malformed, unset variables of the
    ///   YAML file are not reported, since their lines may be among the malformed ones.
    public static func read(
        configPath: String, dotenvPath: String?, environment: [String: String], homeDirectory: String, mode: Occasion
    ) throws(ConfigurationError) -> LoadedConfiguration {
        let source = try ConfigurationSource(configPath: configPath, dotenvPath: dotenvPath)
        return try read(source, environment: environment, homeDirectory: homeDirectory, mode: mode)
    }

    /// The part after the two files have been read; `files` reads those that they name.
    static func read(
        _ source: ConfigurationSource, environment: [String: String], homeDirectory: String, mode: Occasion,
        files: NamedFiles = NamedFiles()
    ) throws(ConfigurationError) -> LoadedConfiguration {
        let home: String? =
            if !homeDirectory.hasPrefix("/") {
                nil
            } else {
                homeDirectory.hasSuffix("/") ? String(homeDirectory.dropLast()) : homeDirectory
            }
        let layered = LayeredEnvironment(source: source, process: environment, mode: mode)
        let configPath = FilePath.absolute(
            source.config.path, directory: ConfigurationSearch.workingDirectory(), homeDirectory: home ?? "")
        let reading = Reading(
            file: source.config.path, environment: layered.merged, homeDirectory: home,
            configDirectory: FilePath.directory(configPath), files: files, reportsUnsetVariables: layered.isComplete)
        let settings = settings(source.config, configPath: configPath, reading: reading)

        let problems =
            layered.problems + reading.problems + (settings.map { overwritten($0, source, configPath) } ?? [])
        guard problems.isEmpty, var settings else { throw ConfigurationError(problems: problems) }
        if let level = layered.switches.logLevel { settings.logLevel = level }
        settings.toolCallLog = layered.switches.logToolCalls ?? false
        if layered.switches.disableOutputSanitization == true { settings.outputSanitization = nil }
        let advice =
            reading.hasChosenStages ? [] : SanitizingAdvice.warnings(settings, file: source.config.path)
        var source = source
        source.named = files.files
        return LoadedConfiguration(
            settings: settings, source: source, configHash: source.hash, environment: layered.merged,
            dotenvNames: layered.dotenvNames, switches: layered.switches,
            warnings: (layered.warnings + reading.warnings + advice).sorted(), commandPosition: reading.commandPosition)
    }

    /// nil only together with a problem.
    private static func settings(
        _ file: ConfigurationSource.File, configPath: String, reading: Reading
    ) -> Settings? {
        let document = YAMLDocument(file.bytes)
        for problem in document.problems { reading.refuse(problem.position, problem.message) }
        guard let root = document.root else {
            if document.problems.isEmpty { reading.refuse(nil, "the file is empty; it needs proxy.upstream.command") }
            return nil
        }
        let keys = ["proxy", "plugins", "redaction", "metrics", "logging"]
        guard let file = Section(root, name: "", keys: keys, reading: reading) else { return nil }

        let proxy = file.section("proxy", keys: ProxyReader.keys)
        if !file.has("proxy") {
            reading.refuse(file.position, "proxy is missing; it holds proxy.upstream.command")
        }
        if let proxy, !proxy.has("upstream") {
            reading.refuse(proxy.position, "proxy.upstream is missing; it holds the command to start")
        }
        let upstream = proxy?.value("upstream").flatMap { UpstreamReader(reading: reading).read($0) }

        // Without a usable upstream the rest is read all the same, for its problems.
        var settings = Settings(upstream: upstream ?? UpstreamSettings(command: []), configPath: configPath)
        if let proxy { ProxyReader(reading: reading).read(proxy, into: &settings) }
        if let plugins = file.section("plugins", keys: ["security", "auditing"]) {
            PoliciesReader(reading: reading, serverName: settings.upstream.name).read(plugins, into: &settings)
        }
        if let redaction = file.section("redaction", keys: ["extra_names"]) {
            settings.redactedNames = redactedNames(redaction)
        }
        if let metrics = file.section("metrics", keys: MetricsReader.keys) {
            settings.metrics = MetricsReader(reading: reading).read(metrics)
        }
        if let logging = file.section("logging", keys: ["level"]), let text = logging.text("level") {
            settings.logLevel = logLevel(text, reading: reading) ?? settings.logLevel
        }
        return upstream == nil ? nil : settings
    }

    /// A sink would move its own configuration, or the socket, out of its way.
    private static func overwritten(
        _ settings: Settings, _ source: ConfigurationSource, _ configPath: String
    ) -> [ConfigurationProblem] {
        let dotenv = source.dotenv.map {
            FilePath.absolute($0.path, directory: ConfigurationSearch.workingDirectory(), homeDirectory: "")
        }
        let taken = [
            (configPath, "the configuration file"), (dotenv ?? "", "the .env file"),
            (settings.unix.path, "the socket of proxy.unix"),
        ]
        return settings.fileAuditing.flatMap { sink in
            taken.filter { !$0.0.isEmpty && FilePath.identity($0.0) == FilePath.identity(sink.outputFile) }.map {
                ConfigurationProblem(
                    file: source.config.path,
                    message:
                        "file_auditing writes to '\(printable(sink.outputFile))', which is \($0.1); name another file")
            }
        }
    }

    private static func redactedNames(_ section: Section) -> [String] {
        (section.texts("extra_names") ?? []).compactMap { text in
            if !text.value.isEmpty { return text.value.lowercased() }
            section.reading.refuse(text.position, "\(text.name) is empty; an empty name would redact every argument")
            return nil
        }
    }

    /// Any case.
    private static func logLevel(_ text: Text, reading: Reading) -> LogLevel? {
        if let level = LogLevel(rawValue: text.value.uppercased()) { return level }
        return Section.choice(text, noun: "log level", reading: reading)
    }
}
