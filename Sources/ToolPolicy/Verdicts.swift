public import JSONRPCWire
public import NIOCore
public import OutputSanitizer

/// A message from a client, as a policy sees it before it is forwarded. Requests and notifications alike: a
/// `tools/call` without an id is still a tool call.
public struct PolicyRequest {
    /// The scanned message.
    public var message: Message
    /// Unescaped.
    public var method: String
    /// Whether the method is `tools/call`, in whatever way it was spelled.
    public var isToolCall: Bool
    /// Unescaped `params.name` of a tool call; nil when it is missing or no string.
    public var tool: String?

    /// Joins what routing has found in a message.
    public init(message: Message, method: String, isToolCall: Bool, tool: String?) {
        self.message = message
        self.method = method
        self.isToolCall = isToolCall
        self.tool = tool
    }
}

/// Why a policy says no.
public struct Refusal: Sendable, Hashable {
    /// The policy's name.
    public var plugin: String
    /// What json audit lines and the error's `data.reason` print; holds the tool's name.
    public var reason: String
    /// What line and csv print; our own text without foreign parts.
    public var summary: String
    /// Goes to the client as the error's message instead of the reason, where the operator set one.
    public var clientMessage: String
    /// The policy's mode, printed as `plugin_metadata.mode`.
    public var mode: String

    /// Joins a refusal's texts.
    public init(plugin: String, reason: String, summary: String, clientMessage: String?, mode: String) {
        self.plugin = plugin
        self.reason = reason
        self.summary = summary
        self.clientMessage = clientMessage ?? reason
        self.mode = mode
    }
}

/// What a policy says of a request.
public enum RequestVerdict: Sendable {
    /// It looked, and the request may pass.
    case allow
    /// The request is none of its business.
    case notConcerned
    /// The request goes no further.
    case refuse(Refusal)
    /// The request passes with other bytes: a whole message with the same id and method.
    case rewrite(Message)
}

/// What a policy took out of a result; the audit says it, never what it was.
public enum ResultChange: Hashable, Sendable {
    /// So many tools are hidden.
    case hid(tools: Int)
    /// Text was sanitised.
    case sanitized(RemovalCounts)
}

/// What a policy says of a result.
public enum ResultVerdict: Sendable {
    /// As it came.
    case pass
    /// With other bytes: a whole response with the same id.
    case rewrite(ByteBuffer, ResultChange)
    /// Not at all.
    case refuse(Refusal)
}

/// One policy of a snapshot: looks at requests before they are forwarded and at results before they are delivered.
///
/// Both functions are pure and may run on any thread: large results are reviewed on a worker.
public protocol Policy: Sendable {
    /// The name that the configuration and the audit use.
    var name: String { get }
    /// Called once for each request and notification of a client, before it is forwarded.
    func review(_ request: PolicyRequest) -> RequestVerdict
    /// Whether results of this method have to be shown to ``review(result:of:)``.
    func reviewsResults(of method: String) -> Bool
    /// Whether it has to be shown JSON-RPC errors of such methods too, which are otherwise delivered as they came.
    var reviewsErrors: Bool { get }
    /// Called once for each response to such a method, before it is delivered.
    func review(result: Message, of method: String) -> ResultVerdict
}

extension Policy {
    /// Only results.
    public var reviewsErrors: Bool { false }
}
