internal import GatewayConfiguration
internal import HTTPDoor
internal import Reload

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
            let loaded = try Start(options).files.read(.start).loaded
            if loaded.settings.transports.contains(.http), let http = loaded.settings.http {
                do {
                    try HTTPDoor.checkFiles(of: http)
                } catch {
                    return CheckReport(isValid: false, text: "\(loaded.settings.configPath): \(error)")
                }
            }
            let lines =
                loaded.warnings.map { "warning: \($0)" } + loaded.settings.summary().map { "\($0.key): \($0.value)" }
            return CheckReport(
                isValid: true, text: "\(loaded.settings.configPath) is valid\n" + lines.joined(separator: "\n"))
        } catch {
            return CheckReport(isValid: false, text: "\(error)")
        }
    }
}
