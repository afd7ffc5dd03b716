internal import JSONRPCWire

/// The methods that routing treats in a way of their own; every other one passes as it is.
enum MCPMethod: String, CaseIterable {
    case toolsCall = "tools/call"
    case toolsList = "tools/list"
    case initialize
    case ping
    case discover = "server/discover"
    case setLevel = "logging/setLevel"
    case subscribe = "resources/subscribe"
    case unsubscribe = "resources/unsubscribe"
    case listen = "subscriptions/listen"
    case initialized = "notifications/initialized"
    case cancelled = "notifications/cancelled"
    case acknowledged = "notifications/subscriptions/acknowledged"
    case progress = "notifications/progress"
    case logMessage = "notifications/message"
    case toolsChanged = "notifications/tools/list_changed"
    case promptsChanged = "notifications/prompts/list_changed"
    case resourcesChanged = "notifications/resources/list_changed"
    case resourceUpdated = "notifications/resources/updated"
    case rootsChanged = "notifications/roots/list_changed"

    /// Whether the specification knows it as a request, so that it may not come without an id.
    var isRequest: Bool { !rawValue.hasPrefix("notifications/") }
}

/// A message's method: one that routing knows, or a foreign name.
struct MethodName {
    let known: MCPMethod?
    let text: String

    /// Reads the method of a scanned request or notification.
    init(of message: Message) {
        // Nearly all traffic, and the others' names are compared one after the other.
        if JSONText.equals(message.scan[.method], "tools/call", in: message.bytes) {
            known = .toolsCall
            text = MCPMethod.toolsCall.rawValue
            return
        }
        // The scanner let only strings pass as a method, and refused lone surrogates in it.
        text = JSONText.string(message.scan[.method], in: message.bytes) ?? ""
        known = MCPMethod(rawValue: text)
    }
}
