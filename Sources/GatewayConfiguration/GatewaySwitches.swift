/// The variables by which the environment or `.env` steers the gateway itself. They never reach the upstream.
public struct GatewaySwitches: Hashable, Sendable {
    /// `ZSCALER_MCP_LOG_TOOL_CALLS` or `GATEKIT_LOG_TOOL_CALLS`; nil when not set.
    public var logToolCalls: Bool?
    /// `ZSCALER_MCP_DISABLE_OUTPUT_SANITIZATION`; nil when not set.
    public var disableOutputSanitization: Bool?
    /// `ZSCALER_MCP_PID_FILE`, as written.
    public var pidFile: String?
    /// `ZSCALER_MCP_DOTENV_PATH`, as written. Counts in the process's environment only.
    public var dotenvPath: String?
    /// `GATEKIT_CONFIG`, as written. Counts in the process's environment only.
    public var configPath: String?
    /// `GATEKIT_LOG_LEVEL`; beats `logging.level`.
    public var logLevel: LogLevel?

    /// Every name that is a switch.
    public static let names: Set<String> = Set(
        logToolCallsNames + [disableOutputSanitizationName, pidFileName, dotenvPathName, configPathName, logLevelName])

    static let logToolCallsNames = ["ZSCALER_MCP_LOG_TOOL_CALLS", "GATEKIT_LOG_TOOL_CALLS"]
    static let disableOutputSanitizationName = "ZSCALER_MCP_DISABLE_OUTPUT_SANITIZATION"
    static let pidFileName = "ZSCALER_MCP_PID_FILE"
    static let dotenvPathName = "ZSCALER_MCP_DOTENV_PATH"
    static let configPathName = "GATEKIT_CONFIG"
    static let logLevelName = "GATEKIT_LOG_LEVEL"

    /// Nothing set.
    public init() {}

    /// `true|1|yes|on` or `false|0|no|off`, any case, surrounded by white space or not; nil for anything else.
    public static func boolean(_ text: String) -> Bool? {
        switch trimmed(text).lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }

    private static func trimmed(_ text: String) -> String {
        let front = text.drop(while: \.isWhitespace)
        return String(front.reversed().drop(while: \.isWhitespace).reversed())
    }

    /// Where variables come from, and how a problem with one of them is placed.
    struct Layer {
        var variables: [String: String]
        var place: (_ name: String) -> (file: String, line: Int?)
    }

    /// Reads the switches; of several layers the first that sets one wins. Wrong values in any layer are problems.
    ///
    /// The problem text names the switch and what is valid, not the value: it may be a secret in the wrong place.
    init(layers: [Layer], problems: inout [ConfigurationProblem]) {
        for layer in layers {
            func problem(_ name: String, _ message: String) {
                let place = layer.place(name)
                problems.append(ConfigurationProblem(file: place.file, line: place.line, message: message))
            }
            func flag(_ name: String) -> Bool? {
                guard let text = layer.variables[name] else { return nil }
                if let flag = Self.boolean(text) { return flag }
                problem(name, "\(name) is neither on nor off (valid: true, 1, yes, on, false, 0, no, off)")
                return nil
            }
            let named = Self.logToolCallsNames.compactMap { name in flag(name).map { (name, $0) } }
            if Set(named.map(\.1)).count > 1 {
                problem(
                    named[1].0, "\(named[0].0) and \(named[1].0) are the same switch and disagree; keep one of them")
            }
            logToolCalls = logToolCalls ?? named.first?.1
            disableOutputSanitization = disableOutputSanitization ?? flag(Self.disableOutputSanitizationName)
            pidFile = pidFile ?? layer.variables[Self.pidFileName]
            dotenvPath = dotenvPath ?? layer.variables[Self.dotenvPathName]
            configPath = configPath ?? layer.variables[Self.configPathName]
            if let text = layer.variables[Self.logLevelName] {
                let level = LogLevel(rawValue: Self.trimmed(text).uppercased())
                if level == nil {
                    let valid = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
                    problem(Self.logLevelName, "\(Self.logLevelName) is no log level (valid: \(valid))")
                }
                logLevel = logLevel ?? level
            }
        }
    }
}
