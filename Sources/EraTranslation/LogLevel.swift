internal import JSONRPCWire
internal import NIOCore

/// Severity of a log message (server/utilities/logging, "Log Levels"), from the least on.
public enum LogLevel: String, CaseIterable, Sendable {
    case debug, info, notice, warning, error, critical, alert, emergency

    /// Reads a level's name; `nil` for any other value.
    init?(_ range: ByteRange, in bytes: ByteBuffer) {
        // The longest name has nine letters, each of at most six bytes; the cap keeps a hostile string from being copied.
        guard range.count <= 2 + 9 * 6, let name = JSONText.string(range, in: bytes) else { return nil }
        self.init(rawValue: name)
    }
}
