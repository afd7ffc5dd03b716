internal import JSONRPCWire
internal import NIOCore

/// Severity of a log message of MCP, least to most (server/utilities/logging, "Log Levels", after RFC 5424).
public enum MCPLogLevel: String, CaseIterable, Comparable, Sendable {
    case debug, info, notice, warning, error, critical, alert, emergency

    /// Reads a level's name; `nil` for any other value.
    init?(_ range: ByteRange, in bytes: ByteBuffer) {
        // The longest name has nine letters, each of at most six bytes; the cap keeps a hostile string from being copied.
        guard range.count <= 2 + 9 * 6, let name = JSONText.string(range, in: bytes) else { return nil }
        self.init(rawValue: name)
    }

    private var severity: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .notice: 2
        case .warning: 3
        case .error: 4
        case .critical: 5
        case .alert: 6
        case .emergency: 7
        }
    }

    /// Orders by severity.
    public static func < (left: Self, right: Self) -> Bool { left.severity < right.severity }
}
