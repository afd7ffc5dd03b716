public import GatewayConfiguration

/// What the command line says about serving.
public struct ServeOptions: Sendable {
    /// `--config`; nil searches the usual places.
    public var configPath: String?
    /// `--dotenv-path`.
    public var dotenvPath: String?
    /// `--transport`, which beats the file.
    public var transports: [Transport]?
    /// `--log-tool-calls`.
    public var logsToolCalls: Bool
    /// `--pid-file`.
    public var pidFile: String?
    /// `--instance`: where the PID file is, for one of several.
    public var instance: String?
    /// `--verbose`.
    public var isVerbose: Bool
    /// `--debug`: the wire-level log.
    public var showsMessages: Bool
    /// The name that the program was called by: decides which file is looked for first.
    public var invokedAs: String

    /// Joins the options.
    public init(
        configPath: String?, dotenvPath: String?, transports: [Transport]? = nil, logsToolCalls: Bool = false,
        pidFile: String? = nil, instance: String? = nil, isVerbose: Bool = false,
        showsMessages: Bool = false, invokedAs: String
    ) {
        self.configPath = configPath
        self.dotenvPath = dotenvPath
        self.transports = transports
        self.logsToolCalls = logsToolCalls
        self.pidFile = pidFile
        self.instance = instance
        self.isVerbose = isVerbose
        self.showsMessages = showsMessages
        self.invokedAs = invokedAs
    }
}
