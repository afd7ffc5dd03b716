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
        var offset = Int(range.lower)
        let end = Int(range.upper)
        while offset < end {
            switch JSONWalk.byte(span, offset) {
            case UInt8(ascii: "x") where begins("x-mcp-header", at: offset, span): return true
            case UInt8(ascii: "\\"):
                if begins("\\u00", at: offset, span) {
                    let high = JSONWalk.byte(span, offset &+ 4)
                    if (UInt8(ascii: "4")...UInt8(ascii: "7")).contains(high) || begins("2", at: offset &+ 4, span) {
                        return true
                    }
                }
                offset &+= 2
            default: offset &+= 1
            }
        }
        return false
    }

    private static func begins(_ text: StaticString, at offset: Int, _ span: RawSpan) -> Bool {
        text.withUTF8Buffer { text in
            for index in text.indices where JSONWalk.byte(span, offset &+ index) != text[index] { return false }
            return true
        }
    }
}
