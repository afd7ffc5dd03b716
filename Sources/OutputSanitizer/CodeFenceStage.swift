/// Stage 3: an info string of a code fence that poses as a role or an instruction becomes `text`; the body stays.
enum CodeFenceStage {
    /// Writes the text with its fences disarmed.
    ///
    /// - Returns: how many info strings were replaced.
    static func run(_ text: RawSpan, into rewriter: inout Rewriter) -> Int {
        var count = 0
        var offset = 0
        while let mark = nextMark(text, from: offset, &rewriter.bytesRead) {
            let info = info(in: text, behindRunAt: mark)
            rewriter.bytesRead &+= info.end &- mark
            if info.isRole {
                rewriter.replace(info.start, info.end, with: "text", in: text)
                count &+= 1
            }
            offset = info.end
        }
        return count
    }

    /// What follows a run of backticks or tildes.
    struct Info {
        var start: Int
        /// Behind the run where that is no fence.
        var end: Int
        /// Whether it has to be replaced.
        var isRole: Bool
    }

    /// Looks at the run of backticks or tildes at `mark`. Reads up to the end of the line or the next such character,
    /// or to an unescaped quote, which ends a string that has not been cut out yet.
    static func info(in text: RawSpan, behindRunAt mark: Int) -> Info {
        let first = Spelling.glyph(text, at: mark)
        var length = 1
        var start = first.end
        while true {
            let glyph = Spelling.glyph(text, at: start)
            guard glyph.value == first.value else { break }
            length &+= 1
            start = glyph.end
        }
        guard length >= 3 else { return Info(start: start, end: start, isRole: false) }
        var words = RoleWords()
        var end = start
        while true {
            let glyph = Spelling.glyph(text, at: end)
            switch glyph.value {
            case "\n": return Info(start: start, end: end, isRole: words.wereFound)
            case "`", "~", Spelling.end: return Info(start: start, end: end, isRole: false)
            case "\"" where text.byteOrZero(end) == UInt8(ascii: "\""):
                return Info(start: start, end: end, isRole: false)
            default: words.append(glyph.value)
            }
            end = glyph.end
        }
    }

    private static func nextMark(_ text: RawSpan, from start: Int, _ bytesRead: inout Int) -> Int? {
        var offset = start
        defer { bytesRead &+= offset &- start }
        while true {
            offset = text.firstFenceByte(from: offset)
            guard offset < text.byteCount else { return nil }
            let glyph = Spelling.glyph(text, at: offset)
            if glyph.is("`") || glyph.is("~") { return offset }
            offset = glyph.end
        }
    }
}

/// Looks for the words that make an info string a role, one character after the other.
struct RoleWords {
    /// Whether one has come by.
    private(set) var wereFound = false
    /// The last sixteen characters in lower case, the last one lowest; none of the words is longer.
    private var recent: UInt128 = 0

    /// Takes the next character. No character beyond ASCII has a lower case that matters here.
    @inline(__always)
    mutating func append(_ value: UInt32) {
        let byte: UInt8 = value < 0x80 ? UInt8(truncatingIfNeeded: value) : 0xFF
        recent = recent &<< 8 | UInt128(byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte)
        // All words end with one of these.
        switch byte | 0x20 {
        case UInt8(ascii: "m"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "l"), UInt8(ascii: "n"),
            UInt8(ascii: "e"):
            for word in Self.words where recent & word.mask == word.letters { wereFound = true }
        default: break
        }
    }

    private struct Word {
        var letters: UInt128
        var mask: UInt128
    }

    private static let words =
        [
            "system", "user", "assistant", "tool", "function", "developer", "ignore", "override", "instruction",
            "prompt", "role",
        ]
        .map { word in
            Word(
                letters: word.utf8.reduce(0) { $0 << 8 | UInt128($1) },
                mask: (UInt128(1) << UInt128(word.utf8.count * 8)) - 1)
        }
}

extension RawSpan {
    /// The first backtick, tilde or backslash from `start` on, or the end.
    @inline(__always)
    fileprivate func firstFenceByte(from start: Int) -> Int {
        firstFlagged(from: start) { word in
            word.equal(to: UInt8(ascii: "`")) | word.equal(to: UInt8(ascii: "~")) | word.equal(to: UInt8(ascii: "\\"))
        }
    }
}
