/// One character of a string, and where its spelling ends.
struct Glyph {
    /// The scalar; a surrogate where it has no partner; ``Spelling/end`` behind the text.
    var value: UInt32
    /// The offset behind it.
    var end: Int

    @inline(__always)
    func `is`(_ character: Unicode.Scalar) -> Bool {
        value == character.value
    }
}

/// Reads the content of a JSON string (what stands between its quotes) as it is spelled, escapes and all.
///
/// The stages work on the spelling itself: what they keep they copy, so that an escape stays the escape it was. The
/// string's syntax has been checked by whoever found it. Beside UTF-8 the three bytes of a lone surrogate are
/// understood, for text that an escape of an outer string brought in.
enum Spelling {
    /// Stands for the end of the text; no scalar.
    static let end = UInt32.max

    /// The character at `offset`, which is where one begins.
    @inline(__always)
    static func glyph(_ text: RawSpan, at offset: Int) -> Glyph {
        let byte = text.byteOrZero(offset)
        if byte &- 1 < 0x7F, byte != UInt8(ascii: "\\") { return Glyph(value: UInt32(byte), end: offset &+ 1) }
        return unplain(text, at: offset)
    }

    /// An escape, a character beyond ASCII, or the end.
    @inline(never)
    static func unplain(_ text: RawSpan, at offset: Int) -> Glyph {
        guard offset < text.byteCount else { return Glyph(value: end, end: offset) }
        let first = unit(text, at: offset)
        guard first.value & 0xFFFF_FC00 == 0xD800 else { return first }
        let second = unit(text, at: first.end)
        guard second.value & 0xFFFF_FC00 == 0xDC00 else { return first }
        return Glyph(value: 0x10000 &+ (first.value & 0x3FF) &<< 10 &+ (second.value & 0x3FF), end: second.end)
    }

    /// As above, but each half of a pair by itself.
    private static func unit(_ text: RawSpan, at offset: Int) -> Glyph {
        let byte = text.byteOrZero(offset)
        if byte == UInt8(ascii: "\\") { return escape(text, at: offset) }
        if byte < 0xC0 { return Glyph(value: UInt32(byte), end: offset &+ 1) }
        let length = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
        var value = UInt32(byte) & (0x7F &>> UInt32(length))
        for index in 1..<length { value = value &<< 6 | UInt32(text.byteOrZero(offset &+ index) & 0x3F) }
        return Glyph(value: value, end: offset &+ length)
    }

    private static func escape(_ text: RawSpan, at backslash: Int) -> Glyph {
        let letter = text.byteOrZero(backslash &+ 1)
        let value: UInt32
        switch letter {
        case UInt8(ascii: "b"): value = 0x08
        case UInt8(ascii: "f"): value = 0x0C
        case UInt8(ascii: "n"): value = 0x0A
        case UInt8(ascii: "r"): value = 0x0D
        case UInt8(ascii: "t"): value = 0x09
        case UInt8(ascii: "u"):
            var unit: UInt32 = 0
            for index in 2..<6 { unit = unit &<< 4 | hexValue(text.byteOrZero(backslash &+ index)) }
            return Glyph(value: unit, end: backslash &+ 6)
        default: value = UInt32(letter)
        }
        return Glyph(value: value, end: backslash &+ 2)
    }

    /// Of a hexadecimal digit.
    @inline(__always)
    private static func hexValue(_ digit: UInt8) -> UInt32 {
        UInt32(digit & 0xF) &+ (digit > UInt8(ascii: "9") ? 9 : 0)
    }
}

extension Spelling {
    /// Where a character stands in its text.
    struct Place {
        var start: Int
        var end: Int
    }

    /// The first `character`, an ASCII one, from `start` on, however it is spelled; adds to `bytesRead` what it read.
    @inline(__always)
    static func find(
        _ character: Unicode.Scalar, in text: RawSpan, from start: Int, _ bytesRead: inout Int
    ) -> Place? {
        let byte = UInt8(truncatingIfNeeded: character.value)
        var offset = start
        while true {
            offset = text.first(byte, UInt8(ascii: "\\"), from: offset)
            guard offset < text.byteCount else {
                bytesRead &+= offset &- start
                return nil
            }
            let glyph = glyph(text, at: offset)
            if glyph.is(character) {
                bytesRead &+= glyph.end &- start
                return Place(start: offset, end: glyph.end)
            }
            offset = glyph.end
        }
    }
}
