public import GatewayConfiguration

/// What the command line says of settings. It beats the files, at the start and at every reload.
public struct CommandLineFlags: Hashable, Sendable {
    /// `--transport`.
    public var transports: [Transport]?
    /// `--log-tool-calls`.
    public var logsToolCalls: Bool
    /// `--verbose` or `--debug`.
    public var logLevel: LogLevel?

    /// Joins the flags.
    public init(transports: [Transport]? = nil, logsToolCalls: Bool = false, logLevel: LogLevel? = nil) {
        self.transports = transports
        self.logsToolCalls = logsToolCalls
        self.logLevel = logLevel
    }

    /// Puts the flags over what the files say.
    func apply(to settings: inout Settings) {
        if let transports {
            settings.transports = transports
            if transports.contains(.http), settings.http == nil { settings.http = HTTPDoorSettings() }
        }
        if let logLevel { settings.logLevel = logLevel }
        if logsToolCalls { settings.toolCallLog = true }
    }

    /// The edits between two readings of the files that have no effect because of a flag, one sentence each.
    func ineffectiveEdits(from former: Settings, to next: Settings) -> [String] {
        var edits: [String] = []
        if transports != nil, former.transports != next.transports {
            edits.append("the edit of proxy.transport has no effect: --transport is set on the command line")
        }
        if logLevel != nil, former.logLevel != next.logLevel {
            edits.append("the edit of the log level has no effect: --verbose or --debug is set on the command line")
        }
        if logsToolCalls, former.toolCallLog != next.toolCallLog {
            edits.append(
                "the edit of the tool-call log's switch has no effect: --log-tool-calls is set on the command line")
        }
        return edits
    }
}
