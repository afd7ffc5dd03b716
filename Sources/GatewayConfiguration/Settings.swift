/// Everything that the operator may set, read, validated and with defaults filled in. A plain value.
public struct Settings: Hashable, Sendable {
    /// The doors to open, in the order written. Never empty.
    public var transports: [Transport]
    /// The Unix door.
    public var unix: UnixDoorSettings
    /// The HTTP door, where the file has one.
    public var http: HTTPDoorSettings?
    /// The process behind the gateway.
    public var upstream: UpstreamSettings
    /// Times.
    public var timeouts: Timeouts
    /// Caps.
    public var limits: Limits
    /// The tool policies that are enabled, lowest priority number first; equal ones in the order written.
    public var toolAllowlists: [ToolAllowlistSettings]
    /// The file sinks that are enabled, in the order written. Paths are absolute and distinct.
    public var fileAuditing: [FileAuditingSettings]
    /// The sanitising of results: on with all stages unless the operator said otherwise; nil when it is off.
    public var outputSanitization: OutputSanitizationSettings?
    /// The mirror in the system journal, when its policy is written and enabled.
    public var journalAuditing: JournalAuditingSettings?
    /// Whether every tool call is logged, by switch: `ZSCALER_MCP_LOG_TOOL_CALLS`, `GATEKIT_LOG_TOOL_CALLS` or
    /// `--log-tool-calls`. Default false.
    public var toolCallLog: Bool
    /// Extra argument names whose values never reach a log, lower-cased.
    public var redactedNames: [String]
    /// Where metrics are scraped; nil counts nothing.
    public var metrics: MetricsSettings?
    /// The daemon's own log.
    public var logLevel: LogLevel
    /// The absolute path of the file that these were read from.
    public var configPath: String

    /// The defaults around one upstream; a door on stdio, no policies and no sinks.
    public init(upstream: UpstreamSettings, configPath: String) {
        transports = [.stdio]
        unix = UnixDoorSettings()
        http = nil
        self.upstream = upstream
        timeouts = Timeouts()
        limits = Limits()
        toolAllowlists = []
        fileAuditing = []
        outputSanitization = OutputSanitizationSettings()
        journalAuditing = nil
        toolCallLog = false
        redactedNames = []
        metrics = nil
        logLevel = .info
        self.configPath = configPath
    }
}

/// How clients reach the gateway.
public enum Transport: String, Hashable, Sendable, CaseIterable {
    case stdio, unix, http
}

/// `proxy.unix`.
public struct UnixDoorSettings: Hashable, Sendable {
    /// Absolute. Default `/run/gatekit/mcp.sock`.
    public var path: String
    /// Permission bits. Default 0660.
    public var mode: UInt32
    /// The group that the socket file is given, by name; nil keeps the process's own.
    public var group: String?

    /// The default door.
    public init(path: String = "/run/gatekit/mcp.sock", mode: UInt32 = 0o660, group: String? = nil) {
        self.path = path
        self.mode = mode
        self.group = group
    }
}

/// `proxy.upstream`.
public struct UpstreamSettings: Hashable, Sendable {
    /// Becomes `server_name` in the audit; nil when not set.
    public var name: String?
    /// The program and its arguments; never empty. Quoting and `~/` are resolved; the program is looked up in `PATH`
    /// at spawn time when it holds no slash.
    public var command: [String]
    /// ``command`` with references to variables as they were written: the form for logs, since a variable may hold a
    /// secret.
    public var commandAsWritten: [String]
    /// Added to the inherited environment.
    public var environment: [String: String]
    /// Names or globs of further variables to inherit.
    public var inherit: [String]
    /// Absolute, or nil for the gateway's own.
    public var workingDirectory: String?
    /// Which protocol era to speak. Default `auto`.
    public var era: UpstreamEra
    /// Default `shared`.
    public var sessions: SessionSharing
    /// How many processes of their own sessions may have. Default 16.
    public var maxDedicated: Int
    /// Whether an exited upstream is started again. Default true.
    public var restartOnFailure: Bool
    /// nil when not set: 3 for a lone stdio session, unlimited for a daemon with doors.
    public var maxRestartAttempts: Int?

    /// A shared upstream with the defaults.
    public init(name: String? = nil, command: [String]) {
        self.name = name
        self.command = command
        commandAsWritten = command
        environment = [:]
        inherit = []
        workingDirectory = nil
        era = .auto
        sessions = .shared
        maxDedicated = 16
        restartOnFailure = true
        maxRestartAttempts = nil
    }
}

/// `proxy.upstream.era`.
public enum UpstreamEra: String, Hashable, Sendable, CaseIterable {
    case auto, legacy, modern
}

/// `proxy.upstream.sessions`.
public enum SessionSharing: String, Hashable, Sendable, CaseIterable {
    case shared, dedicated
}

/// `proxy.timeouts`, in seconds; fractions are allowed in the file.
public struct Timeouts: Hashable, Sendable {
    /// How long a request waits for an absent upstream, and a start for its handshake. Default 30.
    public var connection: Double
    /// How long an answer may take; progress restarts it. Default 60.
    public var request: Double
    /// How long a session without traffic is kept. Default 1800; 0 means for ever.
    public var idleSession: Double
    /// How long a clean end may take. Default 10.
    public var shutdown: Double

    /// Joins the four times, in seconds.
    public init(connection: Double = 30, request: Double = 60, idleSession: Double = 1800, shutdown: Double = 10) {
        self.connection = connection
        self.request = request
        self.idleSession = idleSession
        self.shutdown = shutdown
    }
}

/// `proxy.limits`.
public struct Limits: Hashable, Sendable {
    /// The longest message in bytes, either way. Default 16 MiB; 1 KiB to 1 GiB.
    public var maxMessageBytes: Int
    /// The deepest nesting of arrays and objects. Default 128; 8 to 512.
    public var maxDepth: Int
    /// Sessions at once. Default 1000.
    public var maxSessions: Int
    /// Requests in flight for one session. Default 256.
    public var maxPendingPerSession: Int

    /// Joins the four caps.
    public init(
        maxMessageBytes: Int = 16_777_216, maxDepth: Int = 128, maxSessions: Int = 1000, maxPendingPerSession: Int = 256
    ) {
        self.maxMessageBytes = maxMessageBytes
        self.maxDepth = maxDepth
        self.maxSessions = maxSessions
        self.maxPendingPerSession = maxPendingPerSession
    }
}

/// Policy `tool_allowlist`.
public struct ToolAllowlistSettings: Hashable, Sendable {
    /// What the list means.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        case allowlist, blocklist
        case allowAll = "allow_all"
    }
    /// Required in the file.
    public var mode: Mode
    /// Names or globs with `*` and `?`; case-sensitive.
    public var tools: [String]
    /// Goes to the client instead of the reason.
    public var blockMessage: String?
    /// 0 to 100; lower runs first. Default 50.
    public var priority: Int

    /// Joins the four settings.
    public init(mode: Mode, tools: [String], blockMessage: String? = nil, priority: Int = 50) {
        self.mode = mode
        self.tools = tools
        self.blockMessage = blockMessage
        self.priority = priority
    }
}

/// Policy `file_auditing`.
public struct FileAuditingSettings: Hashable, Sendable {
    /// How a record is printed.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        case json, line, debug, csv, tool
    }
    /// Which events are recorded.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        case all, security, operations, tools
    }
    /// When a record counts as written.
    public enum Durability: String, Hashable, Sendable, CaseIterable {
        case none, write, sync
    }
    /// How fine timestamps are.
    public enum Precision: String, Hashable, Sendable, CaseIterable {
        case seconds, milliseconds, microseconds
    }
    /// Absolute.
    public var outputFile: String
    /// Default json.
    public var format: Format
    /// Default all.
    public var mode: Mode
    /// Default 10 MB of 1024² bytes; in bytes here.
    public var maxFileBytes: Int
    /// Default 5; 0 never rotates.
    public var backupCount: Int
    /// Default true: no request passes that this sink cannot record.
    public var critical: Bool
    /// Default write.
    public var durability: Durability
    /// Default 0600; at most 0640.
    public var fileMode: UInt32
    /// The group that files are given, by name.
    public var group: String?
    /// Default false.
    public var includeRequestBody: Bool
    /// Default false.
    public var includeResponseBody: Bool
    /// Default 10240 bytes.
    public var maxBodySize: Int
    /// Default seconds.
    public var timestampPrecision: Precision
    /// Default false; whether lines of format `tool` begin with a time.
    public var timestampPrefix: Bool
    /// How format `csv` is written.
    public var csv: CSVSettings

    /// A json sink with the defaults of `file_auditing`.
    public init(outputFile: String) {
        self.outputFile = outputFile
        format = .json
        mode = .all
        maxFileBytes = 10 * 1024 * 1024
        backupCount = 5
        critical = true
        durability = .write
        fileMode = 0o600
        group = nil
        includeRequestBody = false
        includeResponseBody = false
        maxBodySize = 10240
        timestampPrecision = .seconds
        timestampPrefix = false
        csv = CSVSettings()
    }
}

/// `logging.level`.
public enum LogLevel: String, Hashable, Sendable, CaseIterable {
    case debug = "DEBUG"
    case info = "INFO"
    case warning = "WARNING"
    case error = "ERROR"
}
