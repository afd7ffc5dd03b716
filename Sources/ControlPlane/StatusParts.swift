public import GatewayEvents

extension StatusReport {
    /// A way in for clients.
    public struct Door: Codable, Hashable, Sendable {
        /// `stdio`, `unix` or `http`.
        public var name: String
        /// `stdin/stdout`, the socket's path, or `http://host:port/path`.
        public var address: String
        /// The socket's path; null for other doors.
        @Nullable public var path: String?

        /// Joins the parts.
        public init(name: String, address: String, path: String? = nil) {
            self.name = name
            self.address = address
            self.path = path
        }
    }

    /// The sanitising of what tools answer. Counts since the start of this program image.
    public struct Sanitization: Codable, Hashable, Sendable {
        /// Those that run, in their order; empty when it is off.
        public var stages: [String]
        /// Answers that were changed.
        public var responses: Int
        /// Scalars that nobody sees.
        public var invisible: Int
        /// Tags, comments, images and links.
        public var markup: Int
        /// Info strings of code fences.
        public var codeFences: Int

        enum CodingKeys: String, CodingKey {
            case stages, responses, invisible, markup
            case codeFences = "code_fences"
        }

        /// Joins the parts.
        public init(
            stages: [String] = [], responses: Int = 0, invisible: Int = 0, markup: Int = 0, codeFences: Int = 0
        ) {
            self.stages = stages
            self.responses = responses
            self.invisible = invisible
            self.markup = markup
            self.codeFences = codeFences
        }
    }

    /// The supervised process, or the shared one where sessions have their own besides.
    public struct Upstream: Codable, Hashable, Sendable {
        /// Where it is.
        public enum State: String, Codable, Hashable, Sendable {
            /// No process: requests wait.
            case absent
            /// Started, handshake under way.
            case starting
            /// Serving.
            case ready
            /// It could not be kept alive: requests fail.
            case failed
        }

        /// Its name.
        public var name: String
        /// Where it is.
        public var state: State
        /// Its process; null without one.
        @Nullable public var pid: Int32?
        /// How often it was started again.
        public var restarts: Int
        /// The era it speaks; null before the handshake.
        @Nullable public var era: String?
        /// `shared` or `dedicated`, for new sessions. Where they are dedicated, ``pid`` is null unless sessions of an
        /// earlier configuration still share a process.
        public var sessions: String
        /// How many sessions have a process of their own.
        public var ownProcesses: Int
        /// How many there may be.
        public var maxDedicated: Int
        /// Those that run.
        public var ownProcessIDs: [Int32]
        /// Why it is not ready; null when it is or nothing is known.
        @Nullable public var reason: String?
        /// The shared process for sessions of the other era; null while none needs it.
        @Nullable public var second: Second?

        enum CodingKeys: String, CodingKey {
            case name, state, pid, restarts, era, sessions, reason, second
            case ownProcesses = "own_processes"
            case maxDedicated = "max_dedicated"
            case ownProcessIDs = "own_pids"
        }

        /// Joins the parts.
        public init(
            name: String, state: State, pid: Int32?, restarts: Int, era: String?, sessions: String = "shared",
            ownProcesses: Int = 0, maxDedicated: Int = 16, ownProcessIDs: [Int32] = [], reason: String? = nil,
            second: Second? = nil
        ) {
            self.name = name
            self.state = state
            self.pid = pid
            self.restarts = restarts
            self.era = era
            self.sessions = sessions
            self.ownProcesses = ownProcesses
            self.maxDedicated = maxDedicated
            self.ownProcessIDs = ownProcessIDs
            self.reason = reason
            self.second = second
        }

        /// The shared process for sessions of the other era.
        public struct Second: Codable, Hashable, Sendable {
            /// Where it is.
            public var state: State
            /// Its process; null without one.
            @Nullable public var pid: Int32?
            /// How often it was started again.
            public var restarts: Int
            /// The era it speaks; null before the handshake.
            @Nullable public var era: String?

            /// Joins the parts.
            public init(state: State, pid: Int32?, restarts: Int, era: String?) {
                self.state = state
                self.pid = pid
                self.restarts = restarts
                self.era = era
            }
        }
    }

    /// The configuration in force.
    public struct Configuration: Codable, Hashable, Sendable {
        /// 1 at the start, one more at every reload that applied.
        public var generation: Int
        /// The first 8 hex digits.
        public var hash: String

        /// Joins the parts.
        public init(generation: Int, hash: String) {
            self.generation = generation
            self.hash = hash
        }
    }

    /// The last reload.
    public struct LastReload: Codable, Hashable, Sendable {
        /// When it ended, ISO 8601.
        public var time: String
        /// `applied`, `unchanged` or `refused`.
        public var result: String
        /// How long it took, in milliseconds.
        public var durationMilliseconds: Double
        /// What changed.
        public var changes: [String]
        /// Why it was refused.
        public var problems: [String]
        /// What the operator should know besides.
        public var notes: [String]

        enum CodingKeys: String, CodingKey {
            case time, result, changes, problems, notes
            case durationMilliseconds = "duration_ms"
        }

        /// Says the same as the outcome.
        public init(_ outcome: ReloadOutcome) {
            time = ControlTime.text(outcome.time)
            result = outcome.result.rawValue
            durationMilliseconds = Double(outcome.duration / 1000) / 1000
            changes = outcome.changes
            problems = outcome.problems
            notes = outcome.notes
        }
    }

    /// A restart that was asked for and not begun.
    public struct RefusedRestart: Codable, Hashable, Sendable {
        /// When, ISO 8601.
        public var time: String
        /// Why.
        public var problems: [String]

        /// Joins the parts.
        public init(time: String, problems: [String]) {
            self.time = time
            self.problems = problems
        }
    }

    /// Where `.env` stands.
    public struct Environment: Codable, Hashable, Sendable {
        /// One of ``EnvironmentSource``'s words.
        public var source: String
        /// The recorded file; null when there never was one.
        @Nullable public var path: String?

        /// Joins the parts.
        public init(source: EnvironmentSource, path: String?) {
            self.source = source.rawValue
            self.path = path
        }
    }

    /// A place that records go to.
    public struct Sink: Codable, Hashable, Sendable {
        /// Its file, or `journal`.
        public var name: String
        /// `file` or `journal`.
        public var kind: String
        /// How its records are written; null where there is no choice.
        @Nullable public var format: String?
        /// Records taken.
        public var records: UInt64
        /// Bytes taken.
        public var bytes: UInt64
        /// Bytes that wait to be taken.
        public var queuedBytes: Int
        /// Events without a record.
        public var missing: UInt64
        /// Whether a request that it records may pass.
        public var isOpen: Bool
        /// Why not, or what a sink that is not critical suffers from.
        @Nullable public var reason: String?
        /// The last thing that failed.
        @Nullable public var lastError: String?

        enum CodingKeys: String, CodingKey {
            case name, kind, format, records, bytes, missing, reason
            case queuedBytes = "queued_bytes"
            case isOpen = "is_open"
            case lastError = "last_error"
        }

        /// Joins the parts.
        public init(
            name: String, kind: String, format: String?, records: UInt64, bytes: UInt64, queuedBytes: Int = 0,
            missing: UInt64 = 0, isOpen: Bool = true, reason: String? = nil, lastError: String? = nil
        ) {
            self.name = name
            self.kind = kind
            self.format = format
            self.records = records
            self.bytes = bytes
            self.queuedBytes = queuedBytes
            self.missing = missing
            self.isOpen = isOpen
            self.reason = reason
            self.lastError = lastError
        }
    }

    /// systemd's watchdog.
    public struct Watchdog: Codable, Hashable, Sendable {
        /// How often systemd is told that the loop turns, in seconds.
        public var intervalSeconds: Double

        enum CodingKeys: String, CodingKey {
            case intervalSeconds = "interval_s"
        }

        /// Joins the parts.
        public init(intervalSeconds: Double) {
            self.intervalSeconds = intervalSeconds
        }
    }
}
