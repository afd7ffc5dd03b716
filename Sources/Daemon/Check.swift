internal import GatewayConfiguration

extension Daemon {
    /// What `check` found.
    public struct CheckReport: Sendable {
        /// Whether a start would accept the configuration.
        public var isValid: Bool
        /// The summary of what would run with its warnings, or every problem, one a line.
        public var text: String
    }

    /// Reads the configuration as a start would, and starts nothing.
    public static func check(_ options: ServeOptions) -> CheckReport {
        do {
            let start = try StartConfiguration.load(options)
            let lines =
                start.loaded.warnings.map { "warning: \($0)" }
                + start.settings.summary().map { "\($0.key): \($0.value)" }
            return CheckReport(
                isValid: true, text: "\(start.settings.configPath) is valid\n" + lines.joined(separator: "\n"))
        } catch {
            return CheckReport(isValid: false, text: "\(error)")
        }
    }
}
