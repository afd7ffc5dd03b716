extension JSONSyntax {
    /// Where a string ends, and what a reader of it has to reckon with.
    struct StringEnd {
        /// The offset behind the closing quote.
        var end: Int
        var hasEscapes: Bool
        var isASCII: Bool
    }

    /// A string, from its opening quote on.
    @inline(__always)
    static func string(_ bytes: RawSpan, at open: Int) throws(SyntaxError) -> StringEnd {
        // Keys, methods and ids end within the first word or two and hold nothing special: decide them here.
        let offset = plainRun(bytes, from: open &+ 1)
        if bytes.byteOrZero(offset) == UInt8(ascii: "\"") {
            return StringEnd(end: offset &+ 1, hasEscapes: false, isASCII: true)
        }
        return try unplainString(bytes, from: offset)
    }

    /// The first byte from `start` on that is a quote, a backslash, a control character or not ASCII, or the end.
    @inline(__always)
    private static func plainRun(_ bytes: RawSpan, from start: Int) -> Int {
        var offset = start
        while let word = bytes.wordIfPresent(offset) {
            // Bytes above 0x7F flag themselves, so each subtraction needs to be exact for ASCII only; a borrow can
            // but disturb bytes above one that is flagged already, and the lowest flag is the one that counts.
            let control = word &- 0x2020_2020_2020_2020
            let quote = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
            let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
            let special = (control | quote | backslash | word) & 0x8080_8080_8080_8080
            if special != 0 { return offset &+ (special.trailingZeroBitCount &>> 3) }
            offset &+= 8
        }
        while offset < bytes.byteCount {
            let byte = bytes.byte(offset)
            if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            offset &+= 1
        }
        return offset
    }

    /// The rest of a string whose byte at `start` is not plain.
    @inline(never)
    private static func unplainString(_ bytes: RawSpan, from start: Int) throws(SyntaxError) -> StringEnd {
        var result = StringEnd(end: start, hasEscapes: false, isASCII: true)
        var offset = start
        while offset < bytes.byteCount {
            let byte = bytes.byte(offset)
            if byte == UInt8(ascii: "\"") {
                result.end = offset &+ 1
                return result
            }
            if byte == UInt8(ascii: "\\") {
                result.hasEscapes = true
                offset = try escape(bytes, at: offset)
            } else if byte >= 0x80 {
                result.isASCII = false
                offset = try multibyteRun(bytes, from: offset)
            } else {
                throw SyntaxError(problem: .control, offset: offset)
            }
            offset = plainRun(bytes, from: offset)
        }
        throw SyntaxError(problem: .unterminated, offset: offset)
    }

    @inline(__always)
    private static func escape(_ bytes: RawSpan, at backslash: Int) throws(SyntaxError) -> Int {
        switch bytes.byteOrZero(backslash &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return backslash &+ 2
        case UInt8(ascii: "u"):
            for digit in 2..<6 where hexValue(bytes.byteOrZero(backslash &+ digit)) == nil {
                throw SyntaxError(problem: .escape, offset: backslash)
            }
            return backslash &+ 6
        default: throw SyntaxError(problem: .escape, offset: backslash)
        }
    }

    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- UInt8(ascii: "a") &+ 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- UInt8(ascii: "A") &+ 10)
        default: nil
        }
    }

    /// Well-formed UTF-8 sequences of two to four bytes, one after another: table 3-7 of the Unicode standard.
    @inline(__always)
    private static func multibyteRun(_ bytes: RawSpan, from start: Int) throws(SyntaxError) -> Int {
        var offset = start
        while true {
            let lead = bytes.byteOrZero(offset)
            if lead < 0x80 { return offset }
            let second = bytes.byteOrZero(offset &+ 1)
            let length: Int
            let secondIsValid: Bool
            switch lead {
            case 0xC2...0xDF:
                length = 2
                secondIsValid = isContinuation(second)
            case 0xE0...0xEF:
                length = 3
                secondIsValid =
                    lead == 0xE0
                    ? second &- 0xA0 < 0x20 : lead == 0xED ? second &- 0x80 < 0x20 : isContinuation(second)
            case 0xF0...0xF4:
                length = 4
                secondIsValid =
                    lead == 0xF0
                    ? second &- 0x90 < 0x30 : lead == 0xF4 ? second &- 0x80 < 0x10 : isContinuation(second)
            default: throw SyntaxError(problem: .encoding, offset: offset)
            }
            guard secondIsValid, length < 3 || isContinuation(bytes.byteOrZero(offset &+ 2)),
                length < 4 || isContinuation(bytes.byteOrZero(offset &+ 3))
            else { throw SyntaxError(problem: .encoding, offset: offset) }
            offset &+= length
        }
    }

    @inline(__always)
    private static func isContinuation(_ byte: UInt8) -> Bool {
        byte & 0xC0 == 0x80
    }
}
