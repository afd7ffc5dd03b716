/// Finds the end of an HTML tag: the tokenizer's states from the tag's name on.
enum TagScanner {
    /// The tokenizer's states, and whether a tag that the text's end cuts off there is literal.
    fileprivate enum State {
        case name, beforeAttribute, attributeName, afterAttributeName, beforeValue
        case unquotedValue, afterQuotedValue, selfClosing

        var isLiteralAtEnd: Bool {
            switch self {
            case .name, .attributeName, .afterAttributeName, .unquotedValue: true
            case .beforeAttribute, .beforeValue, .afterQuotedValue, .selfClosing: false
            }
        }
    }

    /// A tag whose name begins at `start`.
    static func tag(
        in text: RawSpan, from start: Int, isStart: Bool, _ bytesRead: inout Int
    ) -> HTMLStage.Construct {
        let construct = tag(in: text, from: start, isStart: isStart)
        bytesRead &+= construct.end &- start
        return construct
    }

    private static func tag(in text: RawSpan, from start: Int, isStart: Bool) -> HTMLStage.Construct {
        // The caller counts the whole tag.
        var ignored = 0
        var name = ElementName()
        var state = State.name
        var offset = start
        while true {
            let glyph = Spelling.glyph(text, at: offset)
            if glyph.value == Spelling.end {
                return HTMLStage.Construct(effect: state.isLiteralAtEnd ? .literal : .removal, end: offset)
            }
            if glyph.is(">") {
                let isBreak = isStart && name.isBlock
                return HTMLStage.Construct(effect: isBreak ? .lineBreak : .removal, end: glyph.end)
            }
            if state == .beforeValue, glyph.is("\"") || glyph.is("'") {
                let quote: Unicode.Scalar = glyph.is("\"") ? "\"" : "'"
                guard let close = Spelling.find(quote, in: text, from: glyph.end, &ignored) else {
                    return HTMLStage.Construct(effect: .removal, end: text.byteCount)
                }
                state = .afterQuotedValue
                offset = close.end
                continue
            }
            if state == .name, !glyph.isSpace, !glyph.is("/") { name.append(glyph.value) }
            state = state.next(glyph)
            offset = glyph.end
        }
    }
}

extension TagScanner.State {
    /// The state behind a character that is neither `>` nor the quote that opens a value.
    fileprivate func next(_ glyph: Glyph) -> Self {
        switch self {
        case .name: glyph.isSpace ? .beforeAttribute : glyph.is("/") ? .selfClosing : .name
        // A `=` here begins a name.
        case .beforeAttribute, .afterQuotedValue, .selfClosing:
            glyph.isSpace ? .beforeAttribute : glyph.is("/") ? .selfClosing : .attributeName
        case .attributeName, .afterAttributeName:
            if glyph.isSpace {
                .afterAttributeName
            } else if glyph.is("/") {
                .selfClosing
            } else {
                glyph.is("=") ? .beforeValue : .attributeName
            }
        case .beforeValue: glyph.isSpace ? .beforeValue : .unquotedValue
        case .unquotedValue: glyph.isSpace ? .beforeAttribute : .unquotedValue
        }
    }
}

extension Glyph {
    /// Whether HTML takes it for white space: space, tab, LF, FF, CR.
    @inline(__always)
    var isSpace: Bool { value == 0x20 || value == 0x09 || value == 0x0A || value == 0x0C || value == 0x0D }
}

/// The name of an element as far as it matters: whether it is a block.
struct ElementName {
    /// In lower case, the last character lowest; all names of blocks have at most ten.
    private var letters: UInt128 = 0
    private var count = 0

    /// Appends a character.
    @inline(__always)
    mutating func append(_ value: UInt32) {
        count &+= 1
        guard count <= 16 else { return }
        letters = letters &<< 8 | UInt128(value < 0x80 ? Self.lowercased(UInt8(value)) : 0xFF)
    }

    /// Whether a start tag of this name breaks the line.
    var isBlock: Bool { count <= 16 && Self.blocks.contains(letters) }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    private static let blocks: Set<UInt128> = Set(
        """
        address article aside blockquote details dialog dd div dl dt fieldset figcaption figure footer form \
        h1 h2 h3 h4 h5 h6 header hgroup hr li main nav ol p pre section table ul
        """.split(separator: " ").map { $0.utf8.reduce(0) { $0 << 8 | UInt128($1) } })
}
