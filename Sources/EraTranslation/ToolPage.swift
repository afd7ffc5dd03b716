public import JSONRPCWire
internal import NIOCore

/// The tools of one page of `tools/list` that have parameters to be repeated in headers.
public enum ToolPage {
    /// What the annotations of one tool amount to.
    public enum Annotations: Hashable, Sendable {
        /// They are sound: check each call against them.
        case headers(ParameterHeaders)
        /// They break a rule, for the reason given. Conforming HTTP clients leave such a tool out, so there is nothing
        /// to check a call of it against; the reason is worth a line in the log.
        case invalid(reason: String)
    }

    /// Reads a page, as the upstream sent it; most have no annotations at all, which a search of the bytes shows.
    ///
    /// - Parameter message: a response to `tools/list`.
    /// - Returns: the tools with annotations, in the order of the page. A name that occurs twice is returned twice: the
    ///   first one counts.
    public static func annotations(in message: Message) -> [(tool: String, annotations: Annotations)] {
        let bytes = message.bytes
        let page = message.scan[.resultTools]
        guard JSONText.kind(of: page, in: bytes) == .array, mayHaveAnnotation(page, in: bytes) else { return [] }
        var found: [(tool: String, annotations: Annotations)] = []
        let span = bytes.readableBytesSpan
        var tools = ItemCursor(page, in: span)
        while let (_, tool) = tools.next(span) {
            guard JSONText.kind(of: tool, in: bytes) == .object, mayHaveAnnotation(tool, in: bytes) else { continue }
            var name: String?
            var schema = ByteRange.absent
            var members = ItemCursor(tool, in: span)
            while let (key, value) = members.next(span) {
                if JSONText.equals(key, "name", in: bytes) {
                    name = JSONText.string(value, in: bytes)
                } else if JSONText.equals(key, "inputSchema", in: bytes) {
                    schema = value
                }
            }
            guard let name, schema.isPresent, let annotations = InputSchema.annotations(of: schema, in: bytes) else {
                continue
            }
            found.append((name, annotations))
        }
        return found
    }

    /// Whether the name of the annotation stands there somewhere, as it is or with escapes for some of its characters,
    /// all of which are ASCII letters or hyphens and are escaped by no encoder that means well.
    static func mayHaveAnnotation(_ range: ByteRange, in bytes: ByteBuffer) -> Bool {
        let span = bytes.readableBytesSpan
        let end = Int(range.upper)
        var offset = Int(range.lower)
        while true {
            offset = JSONWalk.find(UInt8(ascii: "x"), or: UInt8(ascii: "\\"), in: span, from: offset, to: end)
            guard offset < end else { return false }
            if begins("x-mcp-header", at: offset, span) || begins("\\u002", at: offset, span) { return true }
            if begins("\\u00", at: offset, span),
                (UInt8(ascii: "4")...UInt8(ascii: "7")).contains(JSONWalk.byte(span, offset &+ 4))
            {
                return true
            }
            offset &+= JSONWalk.byte(span, offset) == UInt8(ascii: "\\") ? 2 : 1
        }
    }

    private static func begins(_ text: StaticString, at offset: Int, _ span: RawSpan) -> Bool {
        text.withUTF8Buffer { text in
            for index in text.indices where JSONWalk.byte(span, offset &+ index) != text[index] { return false }
            return true
        }
    }
}
