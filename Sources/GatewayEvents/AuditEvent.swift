public import NIOCore
public import OutputSanitizer

/// Something that happened, as one value with one timestamp. The audit encodes it for every sink and metrics count
/// it; neither changes it. A class, because it is handed on several times and has one allocation to pay for.
///
/// Texts in it are untrusted unless a comment says otherwise: encoders escape, redact and cut them.
public final class AuditEvent: Sendable {
    /// Nanoseconds since 1970-01-01 UTC, read once.
    public let time: Int64
    /// Decides which sinks take the event, and the record's `config` value.
    public let snapshot: Snapshot
    /// The client that it concerns, if one.
    public let session: SessionIdentity?
    /// What happened.
    public let kind: Kind

    /// Joins an event's parts.
    public init(time: Int64, snapshot: Snapshot, session: SessionIdentity?, kind: Kind) {
        self.time = time
        self.snapshot = snapshot
        self.session = session
        self.kind = kind
    }

    /// The event types of the audit's public interface.
    public enum Kind: Sendable {
        /// A client's request was admitted. Exactly one ``response(_:_:)`` with the same ``Call`` follows.
        case request(Call, plugin: String?)
        /// What became of an admitted request.
        case response(Call, Outcome)
        /// A policy refused a message.
        case securityBlock(Call, Block)
        /// Tools were taken out of a `tools/list` result; `count` says how many.
        case toolsFiltered(Call, plugin: String, count: Int)
        /// A notification passed, or was swallowed or dropped as `note` says.
        case notification(method: String, tool: String?, direction: Direction, note: String?)
        /// The upstream asked a client something.
        case serverRequest(Call)
        /// The answer to it.
        case serverResponse(Call, Outcome)
        /// A line or body that is no valid message. `reason` is our own text; its bytes are never recorded.
        case invalidMessage(direction: Direction, reason: String, offset: Int, length: Int)
        /// A client connected. `note` says what was withheld from it, if anything.
        case sessionStart(note: String?)
        /// A client is gone; `reason` is our own text.
        case sessionEnd(reason: String)
        /// An upstream's exec succeeded.
        case upstreamStart(pid: Int32, program: String, restart: Int)
        /// An upstream ended. `status` reads `exit 1`, `signal 9`, or why it could not be started; our own text.
        case upstreamExit(pid: Int32, program: String, restart: Int, status: String)
        /// A reload has ended; `formerHash` is the first 8 hex digits of the configuration that was in force before.
        case configReload(ReloadOutcome, formerHash: String)
    }

    /// Where a message came from.
    public enum Direction: String, Sendable {
        case fromClient = "client"
        case fromUpstream = "upstream"
    }

    /// A request, as both of its records name it. Immutable; a class because two events and the table of requests in
    /// flight share it.
    public final class Call: Sendable {
        /// The client's own id: a string's unescaped content, or a number as sent; nil when there was none.
        public let requestID: String?
        /// Unescaped.
        public let method: String
        /// Unescaped `params.name` of a `tools/call`.
        public let tool: String?
        /// The bytes of `params`, for sinks that print bodies or arguments; nil when no sink of the snapshot does.
        public let params: ByteBuffer?

        /// Joins a request's parts.
        public init(requestID: String?, method: String, tool: String?, params: ByteBuffer? = nil) {
            self.requestID = requestID
            self.method = method
            self.tool = tool
            self.params = params
        }
    }

    /// How a request ended.
    public struct Outcome: Sendable {
        /// Nanoseconds from admission, monotonic.
        public var duration: UInt64
        /// nil for success.
        public var failure: Failure?
        /// The bytes of `result`, for sinks that print bodies; nil when no sink of the snapshot does.
        public var result: ByteBuffer?
        /// How often each stage of the sanitiser took something out; nil when nothing was.
        public var sanitized: RemovalCounts?

        /// Joins an outcome's parts.
        public init(
            duration: UInt64, failure: Failure? = nil, result: ByteBuffer? = nil, sanitized: RemovalCounts? = nil
        ) {
            self.sanitized = sanitized
            self.duration = duration
            self.failure = failure
            self.result = result
        }
    }

    /// Why a request did not succeed.
    public struct Failure: Sendable {
        /// The JSON-RPC error code; nil when a tool's result says `isError`, or when the client cancelled.
        public var code: Int?
        /// The error's message or a tool's error text; untrusted. Our own text where the gateway ended the request.
        public var message: String
        /// Our own word: `timeout`, `cancelled`, `upstream_exited`, `upstream_unavailable`, `connection_lost`,
        /// `too_large`, `shutting_down`, `overloaded`; nil when the upstream itself answered.
        public var reason: String?

        /// Joins a failure's parts.
        public init(code: Int?, message: String, reason: String? = nil) {
            self.code = code
            self.message = message
            self.reason = reason
        }
    }

    /// A policy's refusal.
    public struct Block: Sendable {
        /// The policy's name.
        public var plugin: String
        /// `Tool 'x' is not in allowlist`: what json prints; holds untrusted names.
        public var reason: String
        /// `Tool blocked by allowlist policy`: what line and csv print; our own text.
        public var summary: String
        /// Printed as `plugin_metadata`, in this order; our own text.
        public var metadata: [(name: String, value: String)]

        /// Joins a refusal's parts.
        public init(plugin: String, reason: String, summary: String, metadata: [(name: String, value: String)]) {
            self.plugin = plugin
            self.reason = reason
            self.summary = summary
            self.metadata = metadata
        }
    }
}
