/// Finds the end of a string and, on the way, whether any stage could change it.
///
/// Errs on the safe side only: a string that is called clean is unchanged by all stages, whether it is taken as text
/// or as JSON that stands in a string; of the others most, but not all, change. Allocates nothing, and looks at many
/// bytes at once wherever there is nothing to decide.
struct QuickScan {
    /// What a string's content is.
    struct Verdict {
        /// Where the closing quote stands.
        var end: Int
        var isClean: Bool
    }

    private let hidesInvisible: Bool
    private let removesMarkup: Bool
    private let disarmsFences: Bool
    private let scalars = VisibleScalars.shared

    init(_ stages: SanitizerStages) {
        hidesInvisible = stages.contains(.invisible)
        removesMarkup = stages.contains(.markup)
        disarmsFences = stages.contains(.codeFences)
    }

    /// Looks at the string whose content begins at `start`.
    func string(_ bytes: RawSpan, from start: Int) -> Verdict {
        let end = firstSuspect(bytes, from: start)
        if bytes.byteOrZero(end) == UInt8(ascii: "\"") { return Verdict(end: end, isClean: true) }
        return Verdict(end: Self.endOfString(bytes, from: end), isClean: false)
    }

    /// Where the closing quote of a string stands, from somewhere in its content on, but not amid an escape.
    @inline(__always)
    static func endOfString(_ bytes: RawSpan, from start: Int) -> Int {
        var offset = start
        while true {
            offset = bytes.first(UInt8(ascii: "\""), UInt8(ascii: "\\"), from: offset)
            if bytes.byteOrZero(offset) != UInt8(ascii: "\\") { return offset }
            offset &+= 2
        }
    }

    /// The closing quote, or something before it that a stage could change.
    private func firstSuspect(_ bytes: RawSpan, from start: Int) -> Int {
        var isJSON: Bool?
        var offset = start
        while true {
            offset = Self.nextSpecial(bytes, from: offset)
            let byte = bytes.byteOrZero(offset)
            if byte >= 0x7F {
                guard let next = endOfVisible(bytes, from: offset) else { return offset }
                offset = next
                continue
            }
            let next = bytes.byteOrZero(offset &+ 1)
            switch byte {
            case UInt8(ascii: "\\"):
                switch next {
                case UInt8(ascii: "n"), UInt8(ascii: "\""), UInt8(ascii: "t"), UInt8(ascii: "r"), UInt8(ascii: "/"):
                    offset &+= 2
                case UInt8(ascii: "\\"):
                    // Where the string holds JSON, this begins an escape of that, which may hide any character.
                    if Self.canHide(bytes.byteOrZero(offset &+ 2)) {
                        let looksLikeJSON = isJSON ?? EmbeddedJSON.isLikely(bytes, from: start)
                        isJSON = looksLikeJSON
                        if looksLikeJSON { return offset }
                    }
                    offset &+= 2
                case UInt8(ascii: "u"):
                    guard let end = endOfPlainEscape(bytes, at: offset) else { return offset }
                    offset = end
                default:
                    if hidesInvisible { return offset }
                    offset &+= 2
                }
            case UInt8(ascii: "<") where removesMarkup && Self.canOpen(next): return offset
            case UInt8(ascii: "]") where removesMarkup && next == UInt8(ascii: "("): return offset
            case UInt8(ascii: "`") where disarmsFences, UInt8(ascii: "~") where disarmsFences:
                guard next == byte, bytes.byteOrZero(offset &+ 2) == byte else {
                    offset &+= 1
                    continue
                }
                let info = CodeFenceStage.info(in: bytes, behindRunAt: offset)
                let looksLikeJSON = isJSON ?? EmbeddedJSON.isLikely(bytes, from: start)
                isJSON = looksLikeJSON
                if info.isRole || looksLikeJSON { return offset }
                // What the info holds has to pass the other stages too.
                offset = info.start
            case UInt8(ascii: "<"), UInt8(ascii: "]"), UInt8(ascii: "`"), UInt8(ascii: "~"): offset &+= 1
            // The quote, or the end of the bytes.
            default: return offset
            }
        }
    }

    /// The next byte that needs a look.
    @inline(__always)
    private static func nextSpecial(_ bytes: RawSpan, from start: Int) -> Int {
        bytes.firstFlagged(from: start) { word in
            // Backslash and closing bracket are neighbours, and so is all from the tilde on.
            word.equal(toPairAt: UInt8(ascii: "\\")) | word.equal(to: UInt8(ascii: "\""))
                | word.equal(to: UInt8(ascii: "<"))
                | word.equal(to: UInt8(ascii: "`")) | word.atLeast(UInt8(ascii: "~"))
        }
    }

    /// Whether markup may begin with a `<` before this byte. A backslash may stand for a slash.
    @inline(__always)
    private static func canOpen(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "!")
            || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "\\")
    }

    /// Whether a backslash before this byte makes an escape that can stand for anything but a line break, a tab, a
    /// quote, a slash or a backslash.
    @inline(__always)
    private static func canHide(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "u") || byte == UInt8(ascii: "b") || byte == UInt8(ascii: "f")
    }

    /// Behind a `\u` escape that stage `invisible` keeps and no other stage minds.
    private func endOfPlainEscape(_ bytes: RawSpan, at backslash: Int) -> Int? {
        let glyph = Spelling.glyph(bytes, at: backslash)
        if glyph.value < 0x80 || hidesInvisible && !scalars.keeps(glyph.value) { return nil }
        return glyph.end
    }

    /// Behind a run of characters beyond ASCII that stage `invisible` keeps.
    @inline(__always)
    private func endOfVisible(_ bytes: RawSpan, from start: Int) -> Int? {
        var offset = start
        while true {
            let lead = bytes.byteOrZero(offset)
            if lead < 0x7F { return offset }
            guard hidesInvisible else {
                offset &+= 1
                continue
            }
            let value: UInt32
            let length: Int
            if lead < 0xE0 {
                // U+007F is hidden, and no other ASCII character comes here.
                if lead == 0x7F { return nil }
                length = 2
                value = UInt32(lead & 0x1F) &<< 6 | UInt32(bytes.byteOrZero(offset &+ 1) & 0x3F)
            } else if lead < 0xF0 {
                length = 3
                value =
                    UInt32(lead & 0xF) &<< 12 | UInt32(bytes.byteOrZero(offset &+ 1) & 0x3F) &<< 6
                    | UInt32(bytes.byteOrZero(offset &+ 2) & 0x3F)
                // Half of a pair whose other half may be an escape.
                if value & 0xF800 == 0xD800 { return nil }
            } else {
                length = 4
                value =
                    UInt32(lead & 7) &<< 18 | UInt32(bytes.byteOrZero(offset &+ 1) & 0x3F) &<< 12
                    | UInt32(bytes.byteOrZero(offset &+ 2) & 0x3F) &<< 6
                    | UInt32(bytes.byteOrZero(offset &+ 3) & 0x3F)
            }
            guard scalars.keeps(value) else { return nil }
            offset &+= length
        }
    }
}
