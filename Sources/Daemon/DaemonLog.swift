internal import Glibc
public import Logging

/// The daemon's own log on stderr: `[LEVEL] label: message`, one line each whatever the message holds.
///
/// Nothing but the tool-call log may begin a line with `[TOOL `; a level never does.
public struct DaemonLog: LogHandler {
    private let label: String
    /// Swift-log's filter.
    public var logLevel: Logger.Level
    /// Attached values; printed behind the message.
    public var metadata: Logger.Metadata = [:]

    /// Makes a logger with the label that the line shows.
    public static func logger(_ label: String, level: Logger.Level) -> Logger {
        Logger(label: label) { DaemonLog(label: $0, logLevel: level) }
    }

    init(label: String, logLevel: Logger.Level) {
        self.label = label
        self.logLevel = logLevel
    }

    /// One value of the attached ones.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line; drops it when nobody reads stderr.
    public func log(event: LogEvent) {
        var line = event.message.description.hasPrefix("[upstream ") ? "" : "[\(Self.name(event.level))] \(label): "
        line += event.message.description
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }).sorted(by: {
            $0.key < $1.key
        }) {
            line += " \(key)=\(value)"
        }
        var bytes = Self.escaped(line)
        bytes.append(UInt8(ascii: "\n"))
        LogOutput.write(bytes)
    }

    private static func name(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARNING"
        case .error, .critical: "ERROR"
        }
    }

    /// Control characters and bidi overrides would let foreign text forge lines.
    private static func escaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 1)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09: bytes.append(0x09)
            case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                bytes.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".utf8)
            default: bytes.append(contentsOf: String(scalar).utf8)
            }
        }
        return bytes
    }
}
