/// The first half of stage 2: takes tags, comments, doctypes, `<!…>` and `<?…>` out, and leaves the text between.
enum HTMLStage {
    /// Writes the text without its markup.
    ///
    /// - Returns: how many constructs were taken out.
    static func run(_ text: RawSpan, into rewriter: inout Rewriter) -> Int {
        var count = 0
        var offset = 0
        while let open = Spelling.find("<", in: text, from: offset, &rewriter.bytesRead) {
            let construct = construct(in: text, behind: open.end, &rewriter.bytesRead)
            switch construct.effect {
            case .literal: break
            case .removal:
                rewriter.remove(open.start, construct.end, in: text)
                count &+= 1
            case .lineBreak:
                if rewriter.hasWritten(at: open.start) {
                    rewriter.replace(open.start, construct.end, with: #"\n"#, in: text)
                } else {
                    rewriter.remove(open.start, construct.end, in: text)
                }
                count &+= 1
            }
            offset = construct.end
        }
        return count
    }

    /// What begins with a `<`.
    struct Construct {
        enum Effect {
            case literal, removal, lineBreak
        }

        var effect: Effect
        /// Where the text goes on.
        var end: Int
    }

    /// Looks at what follows a `<` that ends at `start`.
    private static func construct(in text: RawSpan, behind start: Int, _ bytesRead: inout Int) -> Construct {
        let next = Spelling.glyph(text, at: start)
        switch next.value {
        case _ where next.isLetter: return TagScanner.tag(in: text, from: start, isStart: true, &bytesRead)
        case "/": return endTag(in: text, behind: next.end, &bytesRead)
        case "!": return declaration(in: text, behind: next.end, &bytesRead)
        case "?": return removal(in: text, through: Spelling.find(">", in: text, from: next.end, &bytesRead))
        // A literal `<>` or `<`; in either case the text goes on behind the `<`.
        default: return Construct(effect: .literal, end: start)
        }
    }

    private static func endTag(in text: RawSpan, behind slash: Int, _ bytesRead: inout Int) -> Construct {
        let next = Spelling.glyph(text, at: slash)
        if next.isLetter { return TagScanner.tag(in: text, from: slash, isStart: false, &bytesRead) }
        if next.is(">") { return Construct(effect: .removal, end: next.end) }
        let close = Spelling.find(">", in: text, from: slash, &bytesRead)
        return Construct(effect: .literal, end: close?.end ?? text.byteCount)
    }

    private static func declaration(in text: RawSpan, behind mark: Int, _ bytesRead: inout Int) -> Construct {
        let first = Spelling.glyph(text, at: mark)
        if first.is("-") {
            let second = Spelling.glyph(text, at: first.end)
            if second.is("-") { return comment(in: text, from: second.end, &bytesRead) }
        }
        return removal(in: text, through: Spelling.find(">", in: text, from: mark, &bytesRead))
    }

    private static func comment(in text: RawSpan, from start: Int, _ bytesRead: inout Int) -> Construct {
        var dash = Spelling.glyph(text, at: start)
        if dash.is(">") { return Construct(effect: .removal, end: dash.end) }
        if dash.is("-") {
            let close = Spelling.glyph(text, at: dash.end)
            if close.is(">") { return Construct(effect: .removal, end: close.end) }
        }
        var offset = start
        while let first = Spelling.find("-", in: text, from: offset, &bytesRead) {
            offset = first.end
            dash = Spelling.glyph(text, at: offset)
            guard dash.is("-") else { continue }
            var last = Spelling.glyph(text, at: dash.end)
            if last.is("!") { last = Spelling.glyph(text, at: last.end) }
            if last.is(">") { return Construct(effect: .removal, end: last.end) }
        }
        return Construct(effect: .removal, end: text.byteCount)
    }

    private static func removal(in text: RawSpan, through close: Spelling.Place?) -> Construct {
        Construct(effect: .removal, end: close?.end ?? text.byteCount)
    }
}

extension Glyph {
    /// Whether it is an ASCII letter.
    @inline(__always)
    var isLetter: Bool { (value | 0x20) &- 0x61 < 26 }
}

/// Lets a `switch` over scalar values name characters.
func ~= (character: Unicode.Scalar, value: UInt32) -> Bool {
    character.value == value
}
