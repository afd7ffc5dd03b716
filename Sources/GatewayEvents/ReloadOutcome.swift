/// What a reload came to: told to the audit, the log, systemd and the control channel as one value.
public struct ReloadOutcome: Hashable, Sendable {
    /// How it ended.
    public enum Result: String, Hashable, Sendable {
        /// The next snapshot is in force.
        case applied
        /// Nothing that matters differed: the current snapshot stays, its sinks were looked at again.
        case unchanged
        /// The configuration was not taken; the current snapshot stays in force.
        case refused
    }

    /// How it ended.
    public var result: Result
    /// When it began to read files, in nanoseconds of CLOCK_MONOTONIC: a reload asked for before this moment is done.
    public var began: UInt64
    /// When it ended, in nanoseconds since 1970-01-01 UTC.
    public var time: Int64
    /// From ``began`` to the end, in nanoseconds.
    public var duration: UInt64
    /// The generation in force afterwards.
    public var generation: Int
    /// The first 8 hex digits of the hash in force afterwards.
    public var configHash: String
    /// The same of the configuration that was read, or of the one before when it could not be read.
    public var candidateHash: String
    /// What changed, one phrase each; never a secret.
    public var changes: [String]
    /// Why it was refused, one problem each, with file:line:column where there is one.
    public var problems: [String]
    /// What the operator should know besides: edits that a command-line flag makes ineffective, settings that wait for
    /// a restart.
    public var notes: [String]
    /// Where `.env` stands.
    public var environmentSource: EnvironmentSource

    /// Joins an outcome's parts.
    public init(
        result: Result, began: UInt64, time: Int64, duration: UInt64, generation: Int, configHash: String,
        candidateHash: String, changes: [String] = [], problems: [String] = [], notes: [String] = [],
        environmentSource: EnvironmentSource
    ) {
        self.result = result
        self.began = began
        self.time = time
        self.duration = duration
        self.generation = generation
        self.configHash = configHash
        self.candidateHash = candidateHash
        self.changes = changes
        self.problems = problems
        self.notes = notes
        self.environmentSource = environmentSource
    }
}

/// Where the `.env` file that was recorded at the start stands now; its raw values are what `status` and `reload` print.
public enum EnvironmentSource: String, Hashable, Sendable, CaseIterable {
    /// The recorded file exists.
    case live
    /// The same under `/app/`, where container images bind it.
    case liveBindMounted = "live (bind-mounted)"
    /// The recorded file is gone and another one was found, which only a restart adopts.
    case freshDiscovery = "fresh-discovery"
    /// The recorded file is gone and no other was found.
    case missing
    /// There never was one.
    case none
}
