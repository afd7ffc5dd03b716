internal import JSONRPCWire
internal import NIOCore

/// One walk over a tool's input schema in search of `x-mcp-header`.
///
/// An annotation counts wherever a schema may stand, but is allowed only where a chain of nothing but `properties`
/// leads ("Schema Extension"). Data within a schema (`default`, `enum`, …) is no schema and is not looked into; `$ref`
/// is not followed.
struct InputSchema {
    /// How deep schemas may be nested in one another.
    private static let maxDepth = 64
    /// How many parameters may be annotated.
    private static let maxParameters = 32

    private let bytes: ByteBuffer
    private var path: [String] = []
    private var parameters: [ParameterHeaders.Parameter] = []
    private var problem: String?

    /// `nil` for a schema without annotations.
    static func annotations(of schema: ByteRange, in bytes: ByteBuffer) -> ToolPage.Annotations? {
        var walk = InputSchema(bytes: bytes)
        walk.visit(schema, isReachable: true, depth: 1)
        if let problem = walk.problem { return .invalid(reason: problem) }
        return walk.parameters.isEmpty ? nil : .headers(ParameterHeaders(parameters: walk.parameters))
    }

    private init(bytes: ByteBuffer) {
        self.bytes = bytes
    }

    private enum Keyword {
        case properties, annotation, type, schema, schemas, namedSchemas, data
    }

    /// Looks at one schema and those within it; the first problem ends the walk.
    private mutating func visit(_ schema: ByteRange, isReachable: Bool, depth: Int) {
        guard problem == nil, JSONText.kind(of: schema, in: bytes) == .object else { return }
        guard depth <= Self.maxDepth else {
            problem = "schemas are nested deeper than \(Self.maxDepth)"
            return
        }
        var annotation = ByteRange.absent
        var type = ByteRange.absent
        let bytes = bytes
        let span = bytes.readableBytesSpan
        var members = ItemCursor(schema, in: span)
        while problem == nil, let (key, value) = members.next(span) {
            switch Self.keyword(key, in: bytes) {
            case .annotation: annotation = value
            case .type: type = value
            case .properties:
                forEachItem(of: value, .object) { walk, key, value in
                    guard isReachable else { return walk.visit(value, isReachable: false, depth: depth + 1) }
                    guard let name = JSONText.string(key, in: walk.bytes) else {
                        walk.problem = "a property's name has a lone surrogate"
                        return
                    }
                    walk.path.append(name)
                    walk.visit(value, isReachable: true, depth: depth + 1)
                    walk.path.removeLast()
                }
            case .schema:
                visit(value, isReachable: false, depth: depth + 1)
                // Older dialects have arrays of schemas there (draft 7, `items`).
                forEachItem(of: value, .array) { $0.visit($2, isReachable: false, depth: depth + 1) }
            case .schemas: forEachItem(of: value, .array) { $0.visit($2, isReachable: false, depth: depth + 1) }
            case .namedSchemas:
                forEachItem(of: value, .object) { $0.visit($2, isReachable: false, depth: depth + 1) }
            case .data: break
            }
        }
        if annotation.isPresent, problem == nil { note(annotation, type, isReachable) }
    }

    private mutating func forEachItem(
        of range: ByteRange, _ kind: JSONKind, _ body: (inout InputSchema, ByteRange, ByteRange) -> Void
    ) {
        guard JSONText.kind(of: range, in: bytes) == kind else { return }
        let bytes = bytes
        let span = bytes.readableBytesSpan
        var items = ItemCursor(range, in: span)
        while problem == nil, let (key, value) = items.next(span) { body(&self, key, value) }
    }

    private mutating func note(_ annotation: ByteRange, _ type: ByteRange, _ isReachable: Bool) {
        guard isReachable, !path.isEmpty else {
            problem = "x-mcp-header stands where no chain of properties leads"
            return
        }
        let property = ProtocolError.quoted(path.joined(separator: "."))
        guard let header = JSONText.string(annotation, in: bytes), !header.isEmpty, Self.isToken(header) else {
            problem = "x-mcp-header of \(property) is no HTTP token"
            return
        }
        guard
            JSONText.equals(type, "string", in: bytes) || JSONText.equals(type, "integer", in: bytes)
                || JSONText.equals(type, "boolean", in: bytes)
        else {
            problem = "x-mcp-header of \(property) needs the type string, integer or boolean"
            return
        }
        let name = "Mcp-Param-\(header)"
        let lowercase = name.lowercased()
        guard !parameters.contains(where: { $0.lowercaseHeader == lowercase }) else {
            problem = "x-mcp-header of \(property) is another property's too"
            return
        }
        guard parameters.count < Self.maxParameters else {
            problem = "more than \(Self.maxParameters) properties have an x-mcp-header"
            return
        }
        parameters.append(ParameterHeaders.Parameter(path: path, header: name, lowercaseHeader: lowercase))
    }

    /// `1*tchar` of RFC 9110 §5.6.2.
    private static func isToken(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
    }

    /// What a keyword of JSON Schema 2020-12, or of draft 7, holds.
    private static func keyword(_ key: ByteRange, in bytes: ByteBuffer) -> Keyword {
        if JSONText.equals(key, "type", in: bytes) { return .type }
        if JSONText.equals(key, "properties", in: bytes) { return .properties }
        if JSONText.equals(key, "x-mcp-header", in: bytes) { return .annotation }
        if single.contains(where: { JSONText.equals(key, $0, in: bytes) }) { return .schema }
        if lists.contains(where: { JSONText.equals(key, $0, in: bytes) }) { return .schemas }
        return maps.contains { JSONText.equals(key, $0, in: bytes) } ? .namedSchemas : .data
    }

    private static let single: [StaticString] = [
        "items", "additionalItems", "contains", "unevaluatedItems", "additionalProperties", "propertyNames",
        "unevaluatedProperties", "not", "if", "then", "else", "contentSchema",
    ]
    private static let lists: [StaticString] = ["allOf", "anyOf", "oneOf", "prefixItems"]
    private static let maps: [StaticString] = [
        "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions",
    ]
}
