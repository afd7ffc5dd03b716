internal import Glibc
public import Logging
internal import Synchronization
public import Systemd

/// The daemon's own log: on stderr `[LEVEL] label: message`, one line each whatever the message holds; where stderr is
/// the journal, entries with a priority and a field for the label instead.
///
/// Nothing but the tool-call log may begin a line with `[TOOL `; a level never does. All loggers share one level, which
/// a reload may change.
public struct DaemonLog: LogHandler {
    private static let levels = Logger.Level.allCases
    private static let level = Atomic<Int>(index(.info))
    private static let journal = Mutex<JournalWriter?>(nil)

    private let label: String
    /// A level that one logger was given for itself.
    private var ownLevel: Logger.Level?
    /// Swift-log's filter: the shared level unless this logger was given its own.
    public var logLevel: Logger.Level {
        get { ownLevel ?? Self.levels[Self.level.load(ordering: .relaxed)] }
        set { ownLevel = newValue }
    }
    /// Attached values; printed behind the message.
    public var metadata: Logger.Metadata = [:]

    /// Makes a logger with the label that the line shows.
    public static func logger(_ label: String) -> Logger {
        Logger(label: label) { DaemonLog(label: $0) }
    }

    /// Changes what all loggers let pass, from any thread; `info` until the first call.
    public static func setLevel(_ level: Logger.Level) {
        Self.level.store(index(level), ordering: .relaxed)
    }

    /// Sends entries to the journal from now on, or lines to stderr again with nil. What the writer's queue does not
    /// take goes to stderr.
    public static func useJournal(_ writer: JournalWriter?) {
        journal.withLock { $0 = writer }
    }

    init(label: String) {
        self.label = label
    }

    /// One value of the attached ones.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one entry or line; drops it when nobody reads stderr.
    public func log(event: LogEvent) {
        var message = event.message.description
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }).sorted(by: {
            $0.key < $1.key
        }) {
            message += " \(key)=\(value)"
        }
        if let writer = Self.journal.withLock({ $0 }) {
            // A flood of our own lines must leave the audit its room.
            if writer.offer(entry(message, event.level), keepingFree: writer.capacity / 4) { return }
        }
        LogOutput.stderr.write(line(message, event.level))
    }

    func line(_ message: String, _ level: Logger.Level) -> [UInt8] {
        let start = message.hasPrefix(Self.upstreamMark) ? "" : "[\(Self.name(level))] \(label): "
        var bytes = Self.escaped(start + message)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// Lines of an upstream's stderr are entries of their own identifier, without the prefix that names it.
    func entry(_ message: String, _ level: Logger.Level) -> JournalEntry {
        var entry = JournalEntry()
        func field(_ name: StaticString, _ value: some StringProtocol) {
            Self.escaped(value).withUnsafeBytes { entry.append(name, $0) }
        }
        if message.hasPrefix(Self.upstreamMark), let end = message.firstRange(of: "] ") {
            field("MESSAGE", message[end.upperBound...])
            entry.append("SYSLOG_IDENTIFIER", "gatekit-upstream" as StaticString)
            field("GATEKIT_UPSTREAM", message[..<end.lowerBound].dropFirst(Self.upstreamMark.utf8.count))
        } else {
            field("MESSAGE", message)
            entry.append("SYSLOG_IDENTIFIER", "gatekit" as StaticString)
        }
        entry.append("PRIORITY", number: Self.priority(level).rawValue)
        // daemon; syslog(3).
        entry.append("SYSLOG_FACILITY", "3" as StaticString)
        entry.append("GATEKIT_LOGGER", label)
        return entry
    }

    private static let upstreamMark = "[upstream "

    private static func index(_ level: Logger.Level) -> Int {
        // A level is one of all levels.
        levels.firstIndex(of: level)!
    }

    private static func name(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARNING"
        case .error, .critical: "ERROR"
        }
    }

    private static func priority(_ level: Logger.Level) -> JournalPriority {
        switch level {
        case .trace, .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error, .critical: .error
        }
    }

    /// Control characters and bidi overrides would let foreign text forge lines.
    private static func escaped(_ text: some StringProtocol) -> [UInt8] {
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
