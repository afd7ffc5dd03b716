/// The objects whose members the scanner knows by name.
enum Level: Int, CaseIterable, Sendable {
    case envelope, params, meta, result, error

    /// How a rejection calls it.
    var title: String {
        switch self {
        case .envelope: "the message"
        case .params: "params"
        case .meta: "params._meta"
        case .result: "result"
        case .error: "error"
        }
    }

    /// The level that begins with the value of this member, if that is an object.
    static func opened(by member: Member) -> Level? {
        switch member {
        case .params: .params
        case .paramsMeta: .meta
        case .result: .result
        case .error: .error
        default: nil
        }
    }
}

/// One name of the protocol at one level.
struct KnownName: Sendable {
    var text: String
    /// The member whose range is recorded; `nil` for a name that is only protected against look-alikes.
    var member: Member?
}

/// Every name that MCP gives a meaning, level by level, from the schemas of all revisions up to 2026-07-28.
///
/// A name stands here either because the gateway reads it or because a lenient decoder on the other side could take
/// a look-alike of it for the real one, so that gateway and server would read two different messages.
enum MemberNames {
    static func names(of level: Level) -> [KnownName] {
        switch level {
        case .envelope: envelope
        case .params: params
        case .meta: meta
        case .result: result
        case .error: error
        }
    }

    private static let envelope =
        [
            read("id", .id), read("method", .method), read("params", .params), read("result", .result),
            read("error", .error),
        ] + protected("jsonrpc")

    private static let params =
        [
            read("name", .paramsName), read("arguments", .paramsArguments), read("_meta", .paramsMeta),
            read("uri", .paramsURI), read("requestId", .paramsRequestID), read("cursor", .paramsCursor),
            read("level", .paramsLevel), read("protocolVersion", .paramsProtocolVersion),
            read("capabilities", .paramsCapabilities), read("clientInfo", .paramsClientInfo),
            read("progressToken", .paramsProgressToken), read("reason", .paramsReason),
            read("inputResponses", .paramsInputResponses), read("requestState", .paramsRequestState),
            read("notifications", .paramsNotifications),
        ]
        + protected(
            // Notifications.
            "progress", "total", "message", "data", "logger",
            // Completion.
            "ref", "argument", "context",
            // Sampling.
            "messages", "modelPreferences", "systemPrompt", "includeContext", "temperature", "maxTokens",
            "stopSequences", "metadata", "tools", "toolChoice",
            // Elicitation.
            "mode", "requestedSchema", "elicitationId", "url",
            // Tasks.
            "task", "taskId", "ttl", "pollInterval", "status", "statusMessage", "createdAt", "lastUpdatedAt")

    private static let meta =
        [
            read("progressToken", .metaProgressToken),
            read("io.modelcontextprotocol/protocolVersion", .metaProtocolVersion),
            read("io.modelcontextprotocol/clientCapabilities", .metaClientCapabilities),
            read("io.modelcontextprotocol/clientInfo", .metaClientInfo),
            read("io.modelcontextprotocol/logLevel", .metaLogLevel),
            read("io.modelcontextprotocol/subscriptionId", .metaSubscriptionID),
        ]
        + protected(
            "io.modelcontextprotocol/serverInfo", "io.modelcontextprotocol/related-task",
            "io.modelcontextprotocol/model-immediate-response")

    private static let result =
        [
            read("tools", .resultTools), read("nextCursor", .resultNextCursor), read("isError", .resultIsError),
            read("protocolVersion", .resultProtocolVersion), read("capabilities", .resultCapabilities),
            read("serverInfo", .resultServerInfo), read("content", .resultContent),
            read("structuredContent", .resultStructuredContent), read("resultType", .resultType),
            read("inputRequests", .resultInputRequests), read("requestState", .resultRequestState),
            read("_meta", .resultMeta), read("ttlMs", .resultTTL), read("cacheScope", .resultCacheScope),
        ]
        + protected(
            // Handshake and discovery.
            "instructions", "supportedVersions",
            // Lists, reads, prompts, completion.
            "resources", "resourceTemplates", "prompts", "contents", "messages", "description", "completion",
            // Answers of clients: sampling, elicitation, roots.
            "model", "role", "stopReason", "action", "roots",
            // Tasks.
            "task", "tasks", "taskId", "ttl", "pollInterval", "status", "statusMessage", "createdAt", "lastUpdatedAt")

    private static let error = [
        read("code", .errorCode), read("message", .errorMessage), read("data", .errorData),
    ]

    private static func read(_ text: String, _ member: Member) -> KnownName {
        KnownName(text: text, member: member)
    }

    private static func protected(_ texts: String...) -> [KnownName] {
        texts.map { KnownName(text: $0, member: nil) }
    }
}
