/// Stage 1: deletes what nobody sees, and makes a plain space of U+00A0.
enum InvisibleStage {
    /// Writes the text without its invisible scalars.
    ///
    /// - Returns: how many were deleted or became a space.
    static func run(_ text: RawSpan, into rewriter: inout Rewriter) -> Int {
        let scalars = VisibleScalars.shared
        var count = 0
        var offset = 0
        while true {
            offset = nextUnplain(text, from: offset)
            guard offset < text.byteCount else {
                rewriter.bytesRead &+= text.byteCount
                return count
            }
            let glyph = Spelling.glyph(text, at: offset)
            if glyph.value == VisibleScalars.noBreakSpace {
                rewriter.replace(offset, glyph.end, with: " ", in: text)
                count &+= 1
            } else if scalars.hides(glyph.value) {
                rewriter.remove(offset, glyph.end, in: text)
                count &+= 1
            }
            offset = glyph.end
        }
    }

    /// The first byte from `start` on that is no plain ASCII character.
    @inline(__always)
    private static func nextUnplain(_ text: RawSpan, from start: Int) -> Int {
        text.firstFlagged(from: start) { $0.atLeast(0x7F) | $0.equal(to: UInt8(ascii: "\\")) }
    }
}
