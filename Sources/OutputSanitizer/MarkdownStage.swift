/// The second half of stage 2: images become their label, then links become `label (url)`. No nesting.
///
/// A label ends at the first `]` and a url at the first `)`, so all that begins before one `]` succeeds or fails
/// together, and neither function looks at a character more than a few times.
enum MarkdownStage {
    /// Writes each image `![label](url)` with a url as its label, or as `[image]` where that is empty.
    ///
    /// - Returns: how many there were.
    static func runImages(_ text: RawSpan, into rewriter: inout Rewriter) -> Int {
        var count = 0
        var offset = 0
        while let mark = Spelling.find("!", in: text, from: offset, &rewriter.bytesRead) {
            offset = mark.end
            let open = Spelling.glyph(text, at: mark.end)
            guard open.is("[") else { continue }
            guard let close = Spelling.find("]", in: text, from: open.end, &rewriter.bytesRead) else { break }
            offset = close.end
            let parenthesis = Spelling.glyph(text, at: close.end)
            guard parenthesis.is("(") else { continue }
            // Without one here there is none further on either.
            guard let end = Spelling.find(")", in: text, from: parenthesis.end, &rewriter.bytesRead) else { break }
            guard end.start > parenthesis.end else { continue }
            if close.start > open.end {
                rewriter.remove(mark.start, open.end, in: text)
                rewriter.remove(close.start, end.end, in: text)
            } else {
                rewriter.replace(mark.start, end.end, with: "[image]", in: text)
            }
            count &+= 1
            offset = end.end
        }
        return count
    }

    /// Writes each link `[label](url)` with neither of them empty as `label (url)`, both trimmed, or as the label where
    /// the url is blank.
    ///
    /// - Returns: how many there were.
    static func runLinks(_ text: RawSpan, into rewriter: inout Rewriter) -> Int {
        var count = 0
        var offset = 0
        while let open = Spelling.find("[", in: text, from: offset, &rewriter.bytesRead) {
            guard let close = Spelling.find("]", in: text, from: open.end, &rewriter.bytesRead) else { break }
            offset = close.end
            let parenthesis = Spelling.glyph(text, at: close.end)
            guard parenthesis.is("("), close.start > open.end else { continue }
            guard let end = Spelling.find(")", in: text, from: parenthesis.end, &rewriter.bytesRead) else { break }
            guard end.start > parenthesis.end else { continue }
            let label = trimmed(open.end, close.start, in: text, &rewriter.bytesRead)
            let url = trimmed(parenthesis.end, end.start, in: text, &rewriter.bytesRead)
            rewriter.remove(open.start, label.start, in: text)
            if url.start < url.end {
                rewriter.replace(label.end, url.start, with: " (", in: text)
                // Back to the source's own parenthesis.
                rewriter.remove(url.end, end.start, in: text)
            } else {
                rewriter.remove(label.end, end.end, in: text)
            }
            count &+= 1
            offset = end.end
        }
        return count
    }

    /// A stretch without the white space around it.
    private static func trimmed(
        _ start: Int, _ end: Int, in text: RawSpan, _ bytesRead: inout Int
    ) -> Spelling.Place {
        bytesRead &+= end &- start
        var result = Spelling.Place(start: end, end: end)
        var offset = start
        var isLeading = true
        while offset < end {
            let glyph = Spelling.glyph(text, at: offset)
            if !isWhitespace(glyph.value) {
                if isLeading { result.start = offset }
                isLeading = false
                result.end = glyph.end
            }
            offset = glyph.end
        }
        return result
    }

    /// Unicode's White_Space.
    private static func isWhitespace(_ value: UInt32) -> Bool {
        switch value {
        case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }
}
