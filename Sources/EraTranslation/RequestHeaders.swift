public import JSONRPCWire
internal import NIOCore

/// The headers of a modern POST that repeat what its body says (basic/transports/streamable-http, "Request Metadata").
///
/// Made once per HTTP request by the HTTP door; keeps only the headers that matter here.
public struct RequestHeaders: Sendable {
    /// `MCP-Protocol-Version` as sent; `nil` when there is none.
    public private(set) var protocolVersion: String?
    private var method: String?
    private var name: String?
    /// `Mcp-Param-…`: name in lower case, and value.
    private(set) var parameters: [(name: String, value: String)] = []
    private var repeated: String?

    /// Picks the headers; names are compared without regard to case. Any header container of pairs will do.
    public init(_ headers: some Sequence<(name: String, value: String)>) {
        for (name, value) in headers {
            // Most headers are others; all of ours begin alike.
            guard let first = name.utf8.first, first | 0x20 == UInt8(ascii: "m"), name.utf8.count >= 8 else { continue }
            switch name.lowercased() {
            case "mcp-protocol-version": keep(value, in: \.protocolVersion, "MCP-Protocol-Version")
            case "mcp-method": keep(value, in: \.method, "Mcp-Method")
            case "mcp-name": keep(value, in: \.name, "Mcp-Name")
            case let name where name.hasPrefix("mcp-param-"): parameters.append((name, value))
            default: break
            }
        }
    }

    private mutating func keep(_ value: String, in field: WritableKeyPath<Self, String?>, _ name: String) {
        if self[keyPath: field] != nil { repeated = name }
        self[keyPath: field] = Self.trimmed(value)
    }

    /// Checks a message against its headers ("Server Validation").
    ///
    /// A notification may leave headers out, since the revision defines none for it; those that are there must be true.
    ///
    /// - Throws: -32602 (HTTP 400) where a request lacks a required field of its envelope, for then the body is at fault;
    ///   else -32020 (HTTP 400) where a header is missing, occurs twice, or says something else than the body.
    public func check(_ message: Message) throws(ProtocolError) {
        let isRequest = message.scan.kind == .request
        if isRequest { try RequestEnvelope.requireFields(of: message) }
        if let repeated { throw .headerMismatch("\(repeated) occurs twice") }
        let bytes = message.bytes
        let version = message.scan[.metaProtocolVersion]
        if isRequest || version.isPresent {
            try Self.compare(protocolVersion, "MCP-Protocol-Version", with: version, of: bytes, isRequest)
        }
        try Self.compare(method, "Mcp-Method", with: message.scan[.method], of: bytes, isRequest)
        guard let target = Self.target(of: message), JSONText.kind(of: target, in: bytes) != .null else { return }
        guard let name else {
            if isRequest { throw .headerMismatch("Mcp-Name is missing") }
            return
        }
        guard let decoded = Self.decoded(name) else { throw .headerMismatch("Mcp-Name is not well encoded") }
        // Not quoted: a URI may hold what is none of the log's business.
        guard let body = JSONText.string(target, in: bytes), body.utf8.elementsEqual(decoded.utf8) else {
            throw .headerMismatch("Mcp-Name is not what params of the body name")
        }
    }

    /// What `Mcp-Name` repeats; `nil` for a method that has no such header ("Standard Request Headers").
    private static func target(of message: Message) -> ByteRange? {
        let method = message.scan[.method]
        if JSONText.equals(method, "tools/call", in: message.bytes)
            || JSONText.equals(method, "prompts/get", in: message.bytes)
        {
            return message.scan[.paramsName]
        }
        return JSONText.equals(method, "resources/read", in: message.bytes) ? message.scan[.paramsURI] : nil
    }

    private static func compare(
        _ value: String?, _ name: String, with range: ByteRange, of bytes: ByteBuffer, _ isRequired: Bool
    ) throws(ProtocolError) {
        guard let value else {
            if isRequired { throw .headerMismatch("\(name) is missing") }
            return
        }
        let body = JSONText.string(range, in: bytes)
        // Compared as bytes, as any intermediary does; equal characters may have different bytes.
        guard let body, body.utf8.elementsEqual(value.utf8) else {
            throw .headerMismatch(
                "\(name) is \(ProtocolError.quoted(value)), but the body says \(ProtocolError.quoted(body ?? ""))")
        }
    }

    /// A header value as the text that it stands for ("Value Encoding"): as it is, or decoded where it has the form
    /// `=?base64?…?=`. `nil` where it holds a character that a header may not have, or is not well encoded.
    public static func decoded(_ value: String) -> String? {
        let text = trimmed(value)
        let bytes = text.utf8
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) else { return nil }
        guard bytes.count >= 11, bytes.starts(with: "=?base64?".utf8), text.hasSuffix("?=") else { return text }
        guard let decoded = Base64Text.decode(bytes.dropFirst(9).dropLast(2), .standard) else { return nil }
        return String(validating: decoded, as: UTF8.self)
    }

    /// Without the spaces and tabs around a value, which belong to no header (RFC 9110 §5.5).
    private static func trimmed(_ value: String) -> String {
        func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }
        guard isBlank(value.utf8.first) || isBlank(value.utf8.last) else { return value }
        var rest = value.utf8[...]
        while isBlank(rest.first) { rest = rest.dropFirst() }
        while isBlank(rest.last) { rest = rest.dropLast() }
        return String(Substring(rest))
    }
}
