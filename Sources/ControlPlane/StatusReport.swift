/// What `status` tells: the gateway fills it on its loop, the control channel carries it, `--json` prints it.
///
/// The JSON's keys are an interface that scripts rely on: they are only ever added to. A key without a value is null.
public struct StatusReport: Codable, Hashable, Sendable {
    /// What the instance is about.
    public enum State: String, Codable, Hashable, Sendable {
        /// Serving.
        case running
        /// Serving, while a reload is under way.
        case reloading
        /// Ending what is in flight.
        case stopping
    }

    /// The process.
    public var pid: Int32
    /// What it is about.
    public var state: State
    /// Whole seconds since this program image started.
    public var uptimeSeconds: Int
    /// When this program image started, as in the PID file.
    public var startedAt: String
    /// The software's version.
    public var version: String
    /// The configuration file.
    public var configPath: String
    /// The doors.
    public var transports: [Door]
    /// The supervised process.
    public var upstream: Upstream
    /// Sessions that are open.
    public var sessions: Int
    /// Requests that wait for their answers, in all sessions.
    public var pending: Int
    /// The configuration in force.
    public var config: Configuration
    /// The last reload; null before the first.
    @Nullable public var lastReload: LastReload?
    /// The last restart that was refused; null when none was.
    @Nullable public var refusedRestart: RefusedRestart?
    /// Where `.env` stands.
    public var environment: Environment
    /// The audit's sinks.
    public var audit: [Sink]
    /// What is taken out of what tools answer.
    public var sanitization: Sanitization
    /// Lines of the log that nobody took.
    public var logLinesDropped: Int
    /// systemd's watchdog; null when it does not watch.
    @Nullable public var watchdog: Watchdog?
    /// What the operator should not forget, such as sanitisation that is switched off.
    public var warnings: [String]

    enum CodingKeys: String, CodingKey {
        case pid, state, version, transports, upstream, sessions, pending, config, audit, sanitization, watchdog,
            warnings
        case uptimeSeconds = "uptime_s"
        case startedAt = "started_at"
        case configPath = "config_path"
        case lastReload = "last_reload"
        case refusedRestart = "refused_restart"
        case environment = "env"
        case logLinesDropped = "log_lines_dropped"
    }

    /// Joins the parts.
    public init(
        pid: Int32, state: State, uptimeSeconds: Int, startedAt: String, version: String, configPath: String,
        transports: [Door], upstream: Upstream, sessions: Int, pending: Int, config: Configuration,
        lastReload: LastReload?, environment: Environment,
        refusedRestart: RefusedRestart? = nil, audit: [Sink], sanitization: Sanitization = Sanitization(),
        logLinesDropped: Int = 0,
        watchdog: Watchdog? = nil, warnings: [String] = []
    ) {
        self.pid = pid
        self.state = state
        self.uptimeSeconds = uptimeSeconds
        self.startedAt = startedAt
        self.version = version
        self.configPath = configPath
        self.transports = transports
        self.upstream = upstream
        self.sessions = sessions
        self.pending = pending
        self.config = config
        self.lastReload = lastReload
        self.environment = environment
        self.refusedRestart = refusedRestart
        self.audit = audit
        self.sanitization = sanitization
        self.logLinesDropped = logLinesDropped
        self.watchdog = watchdog
        self.warnings = warnings
    }
}
