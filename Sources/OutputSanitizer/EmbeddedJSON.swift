internal import JSONRPCWire

/// JSON that stands in a string: taken out, walked, and put back with some of its strings changed.
enum EmbeddedJSON {
    /// Whether the text begins as an object or array does. Whether it is one, ``JSONCheck`` says.
    static func isLikely(_ text: RawSpan, from start: Int) -> Bool {
        var offset = start
        while true {
            let glyph = Spelling.glyph(text, at: offset)
            switch glyph.value {
            case " ", "\n", "\r", "\t": offset = glyph.end
            case "{", "[": return true
            default: return false
            }
        }
    }

    /// The text without its escapes, a lone surrogate as the three bytes that UTF-8 would have for it.
    static func unescaped(_ text: RawSpan) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.byteCount)
        var offset = 0
        while true {
            let escape = text.first(UInt8(ascii: "\\"), UInt8(ascii: "\\"), from: offset)
            text.extracting(offset..<escape).withUnsafeBytes { output.append(contentsOf: $0) }
            guard escape < text.byteCount else { return output }
            let glyph = Spelling.glyph(text, at: escape)
            append(glyph.value, to: &output)
            offset = glyph.end
        }
    }

    /// `outer` with the edits made in what it stands for. `edits` are in order, and their ranges count in the
    /// unescaped text; all else keeps its spelling. Not for no edits.
    static func applying(_ edits: Edits, toTextSpelled outer: RawSpan) -> [UInt8] {
        var rewriter = Rewriter()
        var cursor = Cursor()
        edits.forEach { range, replacement in
            let start = cursor.advance(to: Int(range.lower), in: outer)
            let end = cursor.advance(to: Int(range.upper), in: outer)
            rewriter.replace(start, end, with: escaped(replacement).span.bytes, in: outer)
        }
        return rewriter.finish(outer) ?? []
    }

    /// Walks a spelled text and counts what it stands for. A search for the next escape never goes far beyond the edit
    /// that asked for it: the quote at its end is one.
    private struct Cursor {
        private var offset = 0
        private var unescaped = 0

        /// The offset in `text` of a place in the unescaped text that is not before the last one.
        mutating func advance(to target: Int, in text: RawSpan) -> Int {
            while unescaped < target {
                let escape = text.first(UInt8(ascii: "\\"), UInt8(ascii: "\\"), from: offset)
                let plain = min(escape &- offset, target &- unescaped)
                offset &+= plain
                unescaped &+= plain
                guard unescaped < target, offset < text.byteCount else { break }
                let glyph = Spelling.glyph(text, at: offset)
                offset = glyph.end
                unescaped &+= EmbeddedJSON.byteCount(glyph.value)
            }
            return offset
        }
    }

    private static func byteCount(_ value: UInt32) -> Int {
        value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4
    }

    private static func append(_ value: UInt32, to output: inout [UInt8]) {
        func continuation(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(value &>> shift & 0x3F) }
        switch byteCount(value) {
        case 1: output.append(UInt8(value))
        case 2: output += [0xC0 | UInt8(value &>> 6), continuation(0)]
        case 3: output += [0xE0 | UInt8(value &>> 12), continuation(6), continuation(0)]
        default: output += [0xF0 | UInt8(value &>> 18), continuation(12), continuation(6), continuation(0)]
        }
    }

    /// The text as the content of a string, with the escapes that RFC 8259 §7 demands, and one for each lone surrogate.
    private static func escaped(_ text: RawSpan) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.byteCount)
        var offset = 0
        while offset < text.byteCount {
            let byte = text.byteOrZero(offset)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                output += [UInt8(ascii: "\\"), byte]
            } else if byte == 0xED, text.byteOrZero(offset &+ 1) >= 0xA0 {
                let low = UInt16(text.byteOrZero(offset &+ 1) & 0x3F) &<< 6
                let unit = 0xD000 | low | UInt16(text.byteOrZero(offset &+ 2) & 0x3F)
                output += Array("\\u\(String(unit, radix: 16))".utf8)
                offset &+= 2
            } else {
                output.append(byte)
            }
            offset &+= 1
        }
        return output
    }
}
