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
        _ = walk.visit(Int(schema.lower), isReachable: true, depth: 1)
        if let problem = walk.problem { return .invalid(reason: problem) }
        return walk.parameters.isEmpty ? nil : .headers(ParameterHeaders(parameters: walk.parameters))
    }

    private init(bytes: ByteBuffer) {
        self.bytes = bytes
    }

    private enum Keyword {
        case properties, annotation, type, schema, schemas, namedSchemas, data
    }

    /// Looks at the schema that begins at `start` and at those within it, each byte once; the first problem ends the
    /// walk.
    ///
    /// - Returns: the offset behind it.
    private mutating func visit(_ start: Int, isReachable: Bool, depth: Int) -> Int {
        let bytes = bytes
        let span = bytes.readableBytesSpan
        guard JSONWalk.byte(span, start) == UInt8(ascii: "{") else { return JSONWalk.valueEnd(span, at: start) }
        guard depth <= Self.maxDepth else {
            problem = "schemas are nested deeper than \(Self.maxDepth)"
            return span.byteCount
        }
        var annotation = ByteRange.absent
        var type = ByteRange.absent
        var members = ItemCursor(at: start, in: span)
        while problem == nil, let (key, value) = members.nextKey(span) {
            let end: Int
            switch Self.keyword(key, in: bytes) {
            case .annotation:
                end = JSONWalk.valueEnd(span, at: value)
                annotation = ByteRange(value, end)
            case .type:
                end = JSONWalk.valueEnd(span, at: value)
                type = ByteRange(value, end)
            case .properties:
                end = visitItems(at: value, of: UInt8(ascii: "{")) { walk, key, value in
                    walk.visitProperty(key, value, isReachable: isReachable, depth: depth + 1)
                }
            case .schema where JSONWalk.byte(span, value) == UInt8(ascii: "{"):
                end = visit(value, isReachable: false, depth: depth + 1)
            case .schema, .schemas:
                // Draft 7 has arrays of schemas in `items` as well.
                end = visitItems(at: value, of: UInt8(ascii: "[")) {
                    $0.visit($2, isReachable: false, depth: depth + 1)
                }
            case .namedSchemas:
                end = visitItems(at: value, of: UInt8(ascii: "{")) {
                    $0.visit($2, isReachable: false, depth: depth + 1)
                }
            case .data: end = JSONWalk.valueEnd(span, at: value)
            }
            members.leaveValue(at: end, span)
        }
        if annotation.isPresent, problem == nil { note(annotation, type, isReachable) }
        return members.end
    }

    private mutating func visitProperty(_ key: ByteRange, _ start: Int, isReachable: Bool, depth: Int) -> Int {
        guard isReachable else { return visit(start, isReachable: false, depth: depth) }
        guard let name = JSONText.string(key, in: bytes) else {
            problem = "a property's name has a lone surrogate"
            return start
        }
        path.append(name)
        defer { path.removeLast() }
        return visit(start, isReachable: true, depth: depth)
    }

    /// Visits the items of an object or array, told by its `opening`; steps over any other value.
    private mutating func visitItems(
        at start: Int, of opening: UInt8, _ body: (inout InputSchema, ByteRange, Int) -> Int
    ) -> Int {
        let bytes = bytes
        let span = bytes.readableBytesSpan
        guard JSONWalk.byte(span, start) == opening else { return JSONWalk.valueEnd(span, at: start) }
        var items = ItemCursor(at: start, in: span)
        while problem == nil, let (key, value) = items.nextKey(span) {
            items.leaveValue(at: body(&self, key, value), span)
        }
        return items.end
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
