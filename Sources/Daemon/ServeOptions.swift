public import GatewayConfiguration

/// What the command line says about serving.
public struct ServeOptions: Sendable {
    /// `--config`; nil searches the usual places.
    public var configPath: String?
    /// `--dotenv-path`.
    public var dotenvPath: String?
    /// `--transport`, which beats the file.
    public var transports: [Transport]?
    /// `--verbose`.
    public var isVerbose: Bool
    /// `--debug`: the wire-level log.
    public var showsMessages: Bool
    /// The name that the program was called by: decides which file is looked for first.
    public var invokedAs: String

    /// Joins the options.
    public init(
        configPath: String?, dotenvPath: String?, transports: [Transport]? = nil, isVerbose: Bool = false,
        showsMessages: Bool = false, invokedAs: String
    ) {
        self.configPath = configPath
        self.dotenvPath = dotenvPath
        self.transports = transports
        self.isVerbose = isVerbose
        self.showsMessages = showsMessages
        self.invokedAs = invokedAs
    }
}
