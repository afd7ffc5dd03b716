/// What the rules need of a request's head, taken from its fields in one pass. Values are untrusted.
struct RequestHead: Hashable, Sendable {
    /// As sent; case-sensitive.
    let method: String
    /// As sent: path and query.
    let target: String
    private(set) var host: String?
    private(set) var origin: String?
    private(set) var authorization: String?
    private(set) var contentType: String?
    private(set) var contentEncoding: String?
    /// A list field: several are one list (RFC 9110, 5.3).
    private(set) var accept: String?
    private(set) var protocolVersion: String?
    private(set) var sessionID: String?
    private(set) var lastEventID: String?
    /// `Access-Control-Request-Headers` of a page's question.
    private(set) var requestedFields: String?
    /// How many Host fields there are.
    private(set) var hosts = 0
    /// The first field that may occur once and occurs again, in lower case.
    private(set) var doubled: String?
    /// Whether the body's end is told in two ways, as request smuggling does (RFC 9112, 6.3).
    var isAmbiguous: Bool { hasLength && hasTransferEncoding }
    private var hasLength = false
    private var hasTransferEncoding = false

    /// Reads every field once; other names are passed over.
    init(method: String, target: String, fields: some Sequence<(name: String, value: String)>) {
        self.method = method
        self.target = target
        for (name, value) in fields {
            switch name.utf8.count {
            case 4 where Self.isEqual(name, "host"):
                hosts += 1
                host = host ?? value
            case 6 where Self.isEqual(name, "origin"): take(value, "origin", \.origin)
            case 6 where Self.isEqual(name, "accept"): accept = accept.map { "\($0),\(value)" } ?? value
            case 12 where Self.isEqual(name, "content-type"): take(value, "content-type", \.contentType)
            case 13 where Self.isEqual(name, "authorization"): take(value, "authorization", \.authorization)
            case 13 where Self.isEqual(name, "last-event-id"): take(value, "last-event-id", \.lastEventID)
            case 14 where Self.isEqual(name, "content-length"):
                if hasLength { note("content-length") }
                hasLength = true
            case 14 where Self.isEqual(name, "mcp-session-id"): take(value, "mcp-session-id", \.sessionID)
            case 16 where Self.isEqual(name, "content-encoding"): take(value, "content-encoding", \.contentEncoding)
            case 17 where Self.isEqual(name, "transfer-encoding"): hasTransferEncoding = true
            case 20 where Self.isEqual(name, "mcp-protocol-version"):
                take(value, "mcp-protocol-version", \.protocolVersion)
            case 30 where Self.isEqual(name, "access-control-request-headers"):
                requestedFields = requestedFields.map { "\($0),\(value)" } ?? value
            default: break
            }
        }
    }

    /// The target without its query.
    var path: Substring { target[..<(target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex)] }

    /// The same without the token.
    var withoutCredentials: RequestHead {
        var head = self
        head.authorization = nil
        return head
    }

    private mutating func take(_ value: String, _ name: String, _ slot: WritableKeyPath<Self, String?>) {
        if self[keyPath: slot] != nil { note(name) }
        self[keyPath: slot] = value
    }

    private mutating func note(_ name: String) {
        doubled = doubled ?? name
    }

    /// Whether a field's name is this one, which is in lower case. Field names are ASCII.
    private static func isEqual(_ name: String, _ lower: StaticString) -> Bool {
        lower.withUTF8Buffer { lower in
            zip(name.utf8, lower).allSatisfy { byte, expected in
                byte == expected || ((0x41...0x5A).contains(byte) && byte | 0x20 == expected)
            }
        }
    }
}
