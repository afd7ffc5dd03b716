public import JSONRPCWire

/// Both protocol eras, translated into each other: what a request, a result, a notification of one era is in the other.
///
/// *Legacy* are the revisions with an `initialize` handshake (2025-11-25 and earlier), *modern* is 2026-07-28, where
/// every request brings its own envelope in `params._meta` (basic/versioning, "Terminology"). Everything here is pure:
/// bytes in, bytes or an error value out; no clock, no I/O, no state but what the caller holds. Any thread may call it,
/// the gateway loop does. All functions take messages that the scanner let pass, so names of the envelope, `params`,
/// `params._meta` and `result` are unique; what lies deeper is hostile and is read with bounds.
///
/// The rules, with the page of the 2026-07-28 specification (`docs/specification/2026-07-28`) that each comes from:
///
/// | what | legacy → modern | modern → legacy | source |
/// |---|---|---|---|
/// | request envelope | ``OutgoingEnvelope`` puts it on | ``RequestEnvelope`` reads it, ``RequestEnvelope/stripped(from:progressToken:)`` takes it off | basic/index "`_meta`" |
/// | handshake | a discover result from an `initialize` result: ``HandshakeTranslation`` | and the reverse | server/discover |
/// | capabilities | `tasks` and `roots.listChanged` go | the tasks extension goes, all else stays: ``CapabilityTranslation`` | changelog, major 5 and 6 |
/// | results | `resultType`, and `ttlMs`, `cacheScope` where the schema demands them | those three go: ``ResultTranslation`` | basic/index "ResultType", server/utilities/caching |
/// | errors | -32002 and -32042 get codes that exist | all stay: ``ErrorTranslation`` | basic/index "Error Codes" |
/// | requests of the server | one ``InputRequired`` result | its embedded requests, one by one | basic/patterns/mrtr |
/// | their answers | ``OutgoingEnvelope/retrying(_:progressToken:responses:requestState:)`` | ``InputResponses`` of the retry | basic/patterns/mrtr |
/// | what a retry continues | ``RequestStateKeys/issue(_:at:)`` | ``RequestStateKeys/verify(_:caller:request:at:)`` | basic/patterns/mrtr "Server Requirements" |
/// | subscriptions | ``SubscriptionFilter/listenParams(_:)`` | ``SubscriptionFilter/init(of:)`` | basic/patterns/subscriptions |
/// | notifications | ``Subscription/tagged(_:)`` | ``Subscription/untagged(_:)`` | basic/patterns/subscriptions |
/// | HTTP headers | – | ``RequestHeaders``, ``ToolPage``, ``ParameterHeaders`` | basic/transports/streamable-http |
/// | methods that one era lacks | ``isLegacyOnly(_:)`` | ``isModernOnly(_:)`` | changelog, major 2 to 6 |
///
/// Two stretches of a message are never edited twice: every function gives ``Splices``, which the caller joins with its
/// own (id, arguments, tools) and applies once.
public enum ModernProtocol {
    /// The one modern revision that this module speaks.
    public static let version = "2026-07-28"

    /// Whether a message carries the modern envelope, as a whole or in part: that selects the era of who sent it
    /// (basic/versioning, "Backward Compatibility with Initialization-Based Versions").
    public static func isCarried(by message: Message) -> Bool {
        message.scan[.metaProtocolVersion].isPresent || message.scan[.metaClientCapabilities].isPresent
    }

    /// Whether only legacy revisions know the method, so that a modern client is told -32601 and a modern upstream
    /// never sees it.
    public static func isLegacyOnly(_ method: String) -> Bool {
        switch method {
        case "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe",
            "notifications/initialized", "notifications/roots/list_changed", "notifications/elicitation/complete",
            "tasks/list", "tasks/result", "notifications/tasks/status":
            true
        default: false
        }
    }

    /// Whether only the modern revision knows the method, so that a legacy client is told -32601 and a legacy upstream
    /// never sees it.
    public static func isModernOnly(_ method: String) -> Bool {
        switch method {
        case "server/discover", "subscriptions/listen", "notifications/subscriptions/acknowledged": true
        default: false
        }
    }

    /// Whether a server may answer the method with an ``InputRequired`` (basic/patterns/mrtr, "Supported Requests").
    public static func mayNeedInput(_ method: String) -> Bool {
        switch method {
        case "tools/call", "prompts/get", "resources/read": true
        default: false
        }
    }
}
