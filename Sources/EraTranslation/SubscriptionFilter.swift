public import JSONRPCWire
public import NIOCore

/// Which notifications a `subscriptions/listen` asks for (basic/patterns/subscriptions, "Notification Filter").
public struct SubscriptionFilter: Hashable, Sendable {
    /// `notifications/tools/list_changed`.
    public var toolsListChanged = false
    /// `notifications/prompts/list_changed`.
    public var promptsListChanged = false
    /// `notifications/resources/list_changed`.
    public var resourcesListChanged = false
    /// `notifications/resources/updated` for these URIs, in the order in which they were named, none twice.
    public var resources: [String] = []

    /// How many resources one subscription may name.
    public static let maxResources = 1024

    /// A filter that lets nothing pass.
    public init() {}

    /// Reads the params of a `subscriptions/listen`.
    ///
    /// Kinds of notifications that the schema does not know are left out, as the acknowledgement then says.
    ///
    /// - Throws: -32602 where `params.notifications` is no object, a member has the wrong type, or there are more than
    ///   ``maxResources``.
    public init(of message: Message) throws(ProtocolError) {
        let bytes = message.bytes
        let filter = message.scan[.paramsNotifications]
        guard JSONText.kind(of: filter, in: bytes) == .object else {
            throw .invalidParams("params.notifications must be an object")
        }
        let span = bytes.readableBytesSpan
        var items = ItemCursor(filter, in: span)
        while let (key, value) = items.next(span) {
            if JSONText.equals(key, "toolsListChanged", in: bytes) {
                toolsListChanged = try Self.flag(value, "toolsListChanged", of: bytes)
            } else if JSONText.equals(key, "promptsListChanged", in: bytes) {
                promptsListChanged = try Self.flag(value, "promptsListChanged", of: bytes)
            } else if JSONText.equals(key, "resourcesListChanged", in: bytes) {
                resourcesListChanged = try Self.flag(value, "resourcesListChanged", of: bytes)
            } else if JSONText.equals(key, "resourceSubscriptions", in: bytes) {
                resources = try Self.resources(value, of: bytes)
            }
        }
    }

    /// Whether nothing passes.
    public var isEmpty: Bool {
        !toolsListChanged && !promptsListChanged && !resourcesListChanged && resources.isEmpty
    }

    /// What of this filter a server honours that has these: for the acknowledgement.
    ///
    /// - Parameters:
    ///   - tools: it tells when its tools change.
    ///   - prompts: it tells when its prompts change.
    ///   - resourceLists: it tells when its list of resources changes.
    ///   - subscribesToResources: it tells when one resource changes.
    public func restricted(
        tools: Bool, prompts: Bool, resourceLists: Bool, subscribesToResources: Bool
    ) -> SubscriptionFilter {
        var filter = SubscriptionFilter()
        filter.toolsListChanged = toolsListChanged && tools
        filter.promptsListChanged = promptsListChanged && prompts
        filter.resourcesListChanged = resourcesListChanged && resourceLists
        filter.resources = subscribesToResources ? resources : []
        return filter
    }

    /// Whether a notification of an upstream belongs on a stream with this filter.
    ///
    /// An update may name a part of a subscribed resource (schema, `ResourceUpdatedNotificationParams.uri`): what
    /// continues a subscribed URI behind a `/`, `?` or `#` passes too.
    public func admits(_ message: Message) -> Bool {
        let bytes = message.bytes
        let method = message.scan[.method]
        if JSONText.equals(method, "notifications/tools/list_changed", in: bytes) { return toolsListChanged }
        if JSONText.equals(method, "notifications/prompts/list_changed", in: bytes) { return promptsListChanged }
        if JSONText.equals(method, "notifications/resources/list_changed", in: bytes) { return resourcesListChanged }
        guard !resources.isEmpty, JSONText.equals(method, "notifications/resources/updated", in: bytes),
            let uri = JSONText.string(message.scan[.paramsURI], in: bytes)
        else { return false }
        return resources.contains { Self.covers($0, uri) }
    }

    /// The value of `notifications`, in a request as in its acknowledgement.
    public var json: ByteBuffer {
        var text = ObjectText(capacity: 96 + resources.reduce(0) { $0 + $1.utf8.count + 3 })
        if toolsListChanged { text.member("toolsListChanged", json: "true") }
        if promptsListChanged { text.member("promptsListChanged", json: "true") }
        if resourcesListChanged { text.member("resourcesListChanged", json: "true") }
        if !resources.isEmpty {
            text.name("resourceSubscriptions")
            text.strings(resources)
        }
        return text.finished()
    }

    /// The params of the gateway's own `subscriptions/listen` to a modern upstream.
    public func listenParams(_ envelope: OutgoingEnvelope) -> ByteBuffer {
        var member = ByteBuffer(string: #""notifications":"#)
        member.writeImmutableBuffer(json)
        return envelope.params(member)
    }

    private static func flag(
        _ range: ByteRange, _ name: StaticString, of bytes: ByteBuffer
    ) throws(ProtocolError) -> Bool {
        if let flag = JSONText.bool(range, in: bytes) { return flag }
        guard JSONText.kind(of: range, in: bytes) == .null else {
            throw .invalidParams("params.notifications.\(name) must be a boolean")
        }
        return false
    }

    private static func resources(_ range: ByteRange, of bytes: ByteBuffer) throws(ProtocolError) -> [String] {
        let kind = JSONText.kind(of: range, in: bytes)
        guard kind == .array || kind == .null else {
            throw .invalidParams("params.notifications.resourceSubscriptions must be an array")
        }
        var uris: [String] = []
        var seen: Set<[UInt8]> = []
        let span = bytes.readableBytesSpan
        var items = ItemCursor(range, in: span)
        while let (_, value) = items.next(span) {
            guard let uri = JSONText.string(value, in: bytes) else {
                throw .invalidParams("params.notifications.resourceSubscriptions must hold strings")
            }
            // As bytes: two spellings of one character make two URIs.
            guard seen.insert(Array(uri.utf8)).inserted else { continue }
            guard uris.count < maxResources else {
                throw .invalidParams("params.notifications.resourceSubscriptions has more than \(maxResources) URIs")
            }
            uris.append(uri)
        }
        return uris
    }

    private static func covers(_ subscribed: String, _ uri: String) -> Bool {
        let (whole, part) = (subscribed.utf8, uri.utf8)
        guard part.count >= whole.count, part.starts(with: whole) else { return false }
        guard part.count > whole.count else { return true }
        let next = part[part.index(part.startIndex, offsetBy: whole.count)]
        return whole.last == UInt8(ascii: "/") || next == UInt8(ascii: "/") || next == UInt8(ascii: "?")
            || next == UInt8(ascii: "#")
    }
}
