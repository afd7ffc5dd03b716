/// The names inside a content block that say what is text, and inside a task that say where there are such blocks.
///
/// Compared after unescaping and case folding (ASCII, U+017F, U+212A), since lenient decoders take a look-alike for the
/// name itself.
enum MemberName {
    case text, resource, type, title, description, content, structuredContent, result, error, other

    /// Reads a member's name, as it is spelled between its quotes.
    init(_ name: RawSpan) {
        // The first letter decides which one it can be, and no name of the protocol is spelled with escapes.
        switch Self.folded(Spelling.glyph(name, at: 0).value) {
        case UInt32(UInt8(ascii: "t")):
            self =
                Self.folds(name, to: "text")
                ? .text
                : Self.folds(name, to: "type")
                    ? .type
                    : Self.folds(name, to: "title") ? .title : .other
        case UInt32(UInt8(ascii: "r")):
            self = Self.folds(name, to: "resource") ? .resource : Self.folds(name, to: "result") ? .result : .other
        case UInt32(UInt8(ascii: "c")): self = Self.folds(name, to: "content") ? .content : .other
        case UInt32(UInt8(ascii: "s")): self = Self.folds(name, to: "structuredcontent") ? .structuredContent : .other
        case UInt32(UInt8(ascii: "e")): self = Self.folds(name, to: "error") ? .error : .other
        case UInt32(UInt8(ascii: "d")): self = Self.folds(name, to: "description") ? .description : .other
        default: self = .other
        }
    }

    /// Whether a spelled text reads `plain`, which is in lower case, after folding.
    static func folds(_ text: RawSpan, to plain: StaticString) -> Bool {
        plain.withUTF8Buffer { plain in
            var offset = 0
            for letter in plain {
                let glyph = Spelling.glyph(text, at: offset)
                guard folded(glyph.value) == UInt32(letter) else { return false }
                offset = glyph.end
            }
            return offset == text.byteCount
        }
    }

    private static func folded(_ value: UInt32) -> UInt32 {
        switch value {
        case 0x41...0x5A: value | 0x20
        case 0x17F: 0x73
        case 0x212A: 0x6B
        default: value
        }
    }
}
