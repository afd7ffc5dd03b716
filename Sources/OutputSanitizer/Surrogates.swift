/// Halves of a surrogate pair that stand alone: no scalars, but JSON can spell them.
enum Surrogates {
    /// The text with U+FFFD for each lone half, if taking out what lies between two of them could join them to a scalar
    /// that no stage has seen; else `nil`, and they may stay as they are.
    static func mended(_ text: RawSpan) -> [UInt8]? {
        var hasHigh = false
        var canJoin = false
        forEachLone(in: text) { _, glyph in
            if glyph.value < 0xDC00 { hasHigh = true } else if hasHigh { canJoin = true }
        }
        guard canJoin else { return nil }
        var rewriter = Rewriter()
        forEachLone(in: text) { start, glyph in
            rewriter.replace(start, glyph.end, with: "\u{FFFD}", in: text)
        }
        return rewriter.finish(text)
    }

    private static func forEachLone(in text: RawSpan, _ body: (_ start: Int, _ glyph: Glyph) -> Void) {
        var offset = 0
        while true {
            // In UTF-8 the byte 0xED also begins U+D000 to U+D7FF.
            offset = text.first(UInt8(ascii: "\\"), 0xED, from: offset)
            guard offset < text.byteCount else { return }
            let glyph = Spelling.glyph(text, at: offset)
            if glyph.value & 0xFFFF_F800 == 0xD800 { body(offset, glyph) }
            offset = glyph.end
        }
    }
}
