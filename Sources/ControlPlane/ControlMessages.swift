public import GatewayEvents

/// One line to the server: `{"op":"status"}` or `{"op":"reloads"}`.
struct ControlRequest: Codable, Hashable, Sendable {
    enum Operation: String, Codable, Sendable {
        /// Answered by one line with the status.
        case status
        /// Answered by one line, and then one for every reload's outcome.
        case reloads
    }

    var op: Operation
}

/// One line from the server: exactly one of its members is there.
struct ControlReply: Codable, Hashable, Sendable {
    var status: StatusReport?
    var subscribed: Bool?
    var reload: ReloadReport?
    var error: String?
}

/// A reload's outcome as the control channel and `reload --json` write it.
public struct ReloadReport: Codable, Hashable, Sendable {
    /// `applied`, `unchanged` or `refused`.
    public var result: String
    /// When it began, in nanoseconds of CLOCK_MONOTONIC.
    public var began: UInt64
    /// When it ended, ISO 8601.
    public var time: String
    /// How long it took, in milliseconds.
    public var durationMilliseconds: Double
    /// The generation in force afterwards.
    public var generation: Int
    /// The first 8 hex digits of the hash in force afterwards.
    public var configHash: String
    /// The same of what was read.
    public var candidateHash: String
    /// What changed.
    public var changes: [String]
    /// Why it was refused.
    public var problems: [String]
    /// What the operator should know besides.
    public var notes: [String]
    /// Where `.env` stands.
    public var environmentSource: String

    enum CodingKeys: String, CodingKey {
        case result, time, generation, changes, problems, notes
        case began = "began_ns"
        case durationMilliseconds = "duration_ms"
        case configHash = "config_hash"
        case candidateHash = "candidate_hash"
        case environmentSource = "env_source"
    }

    /// Says the same as the outcome.
    public init(_ outcome: ReloadOutcome) {
        result = outcome.result.rawValue
        began = outcome.began
        time = ControlTime.text(outcome.time)
        durationMilliseconds = Double(outcome.duration / 1000) / 1000
        generation = outcome.generation
        configHash = outcome.configHash
        candidateHash = outcome.candidateHash
        changes = outcome.changes
        problems = outcome.problems
        notes = outcome.notes
        environmentSource = outcome.environmentSource.rawValue
    }
}
