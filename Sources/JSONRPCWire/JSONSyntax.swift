/// Why a text is no JSON, and where that showed.
struct SyntaxError: Error {
    enum Problem: String {
        case empty = "the line holds no JSON value"
        case byteOrderMark = "a byte order mark may not precede a message"
        case trailing = "text follows the JSON value"
        case value = "a JSON value was expected"
        case key = "a member name in double quotes was expected"
        case colon = "a colon was expected after a member name"
        case commaOrBrace = "a comma or closing brace was expected"
        case commaOrBracket = "a comma or closing bracket was expected"
        case number = "a number breaks the JSON grammar"
        case unterminated = "a string has no closing quote"
        case control = "a string holds an unescaped control character"
        case escape = "a string holds an invalid escape"
        case encoding = "a string is not valid UTF-8"
        case depth = "nested too deeply"
    }

    var problem: Problem
    var offset: Int
}

/// The strict grammar of RFC 8259, walked without building anything.
///
/// Each function takes the offset at which its production begins and returns the offset behind it.
enum JSONSyntax {
    @inline(__always)
    static func skipWhitespace(_ bytes: RawSpan, from start: Int) -> Int {
        // Messages are nearly always compact, so the first byte decides.
        if bytes.byteOrZero(start) > 0x20 { return start }
        var offset = start
        while isWhitespace(bytes.byteOrZero(offset)) { offset &+= 1 }
        return offset
    }

    @inline(__always)
    static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }

    /// Any value; `depth` is how deep an array or object that begins here would be nested, `limit` how deep it may be.
    @inline(__always)
    static func value(_ bytes: RawSpan, at start: Int, depth: Int, limit: Int) throws(SyntaxError) -> Int {
        switch bytes.byteOrZero(start) {
        case UInt8(ascii: "\""): return try string(bytes, at: start).end
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return try container(bytes, at: start, depth: depth, limit: limit)
        default: return try scalar(bytes, at: start)
        }
    }

    /// A number or one of the three literals.
    static func scalar(_ bytes: RawSpan, at start: Int) throws(SyntaxError) -> Int {
        switch bytes.byteOrZero(start) {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try number(bytes, at: start)
        case UInt8(ascii: "t") where bytes.partialWordIfPresent(start, count: 4) == 0x6575_7274: return start &+ 4
        case UInt8(ascii: "n") where bytes.partialWordIfPresent(start, count: 4) == 0x6C6C_756E: return start &+ 4
        case UInt8(ascii: "f") where bytes.partialWordIfPresent(start, count: 5) == 0x65_736C_6166: return start &+ 5
        default: throw SyntaxError(problem: .value, offset: start)
        }
    }

    static func number(_ bytes: RawSpan, at start: Int) throws(SyntaxError) -> Int {
        var offset = start
        if bytes.byteOrZero(offset) == UInt8(ascii: "-") { offset &+= 1 }
        if bytes.byteOrZero(offset) == UInt8(ascii: "0") {
            offset &+= 1
        } else {
            offset = try digits(bytes, at: offset)
        }
        if bytes.byteOrZero(offset) == UInt8(ascii: ".") { offset = try digits(bytes, at: offset &+ 1) }
        if bytes.byteOrZero(offset) | 0x20 == UInt8(ascii: "e") {
            offset &+= 1
            let sign = bytes.byteOrZero(offset)
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { offset &+= 1 }
            offset = try digits(bytes, at: offset)
        }
        return offset
    }

    @inline(__always)
    private static func digits(_ bytes: RawSpan, at start: Int) throws(SyntaxError) -> Int {
        var offset = start
        while isDigit(bytes.byteOrZero(offset)) { offset &+= 1 }
        guard offset > start else { throw SyntaxError(problem: .number, offset: offset) }
        return offset
    }

    /// An array or object with everything in it.
    ///
    /// Open containers are bits of one word, so nesting costs no memory; only each 64th level is a call.
    static func container(_ bytes: RawSpan, at open: Int, depth: Int, limit: Int) throws(SyntaxError) -> Int {
        guard depth <= limit else { throw SyntaxError(problem: .depth, offset: open) }
        var isObject = bytes.byte(open) == UInt8(ascii: "{")
        var objects: UInt64 = isObject ? 1 : 0
        var level = 1
        var offset = skipWhitespace(bytes, from: open &+ 1)
        var isEmpty = bytes.byteOrZero(offset) == close(isObject)

        while true {
            if !isEmpty {
                if isObject { offset = try keyAndColon(bytes, at: offset) }
                let byte = bytes.byteOrZero(offset)
                if byte == UInt8(ascii: "\"") {
                    offset = try string(bytes, at: offset).end
                } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                    guard depth &+ level <= limit else { throw SyntaxError(problem: .depth, offset: offset) }
                    if level < UInt64.bitWidth {
                        isObject = byte == UInt8(ascii: "{")
                        objects = objects &<< 1 | (isObject ? 1 : 0)
                        level &+= 1
                        offset = skipWhitespace(bytes, from: offset &+ 1)
                        isEmpty = bytes.byteOrZero(offset) == close(isObject)
                        continue
                    }
                    offset = try container(bytes, at: offset, depth: depth &+ level, limit: limit)
                } else {
                    offset = try scalar(bytes, at: offset)
                }
            }
            isEmpty = false
            offset = skipWhitespace(bytes, from: offset)
            while bytes.byteOrZero(offset) == close(isObject) {
                offset &+= 1
                level &-= 1
                if level == 0 { return offset }
                objects &>>= 1
                isObject = objects & 1 == 1
                offset = skipWhitespace(bytes, from: offset)
            }
            guard bytes.byteOrZero(offset) == UInt8(ascii: ",") else {
                throw SyntaxError(problem: isObject ? .commaOrBrace : .commaOrBracket, offset: offset)
            }
            offset = skipWhitespace(bytes, from: offset &+ 1)
        }
    }

    @inline(__always)
    private static func close(_ isObject: Bool) -> UInt8 {
        isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    }

    @inline(__always)
    private static func keyAndColon(_ bytes: RawSpan, at start: Int) throws(SyntaxError) -> Int {
        guard bytes.byteOrZero(start) == UInt8(ascii: "\"") else { throw SyntaxError(problem: .key, offset: start) }
        return try colon(bytes, at: string(bytes, at: start).end)
    }

    /// A colon with the whitespace around it.
    @inline(__always)
    static func colon(_ bytes: RawSpan, at start: Int) throws(SyntaxError) -> Int {
        let offset = skipWhitespace(bytes, from: start)
        guard bytes.byteOrZero(offset) == UInt8(ascii: ":") else {
            throw SyntaxError(problem: .colon, offset: offset)
        }
        return skipWhitespace(bytes, from: offset &+ 1)
    }
}

extension RawSpan {
    /// As `partialWord`, or 0 when that many bytes do not follow.
    @inline(__always)
    fileprivate func partialWordIfPresent(_ offset: Int, count: Int) -> UInt64 {
        offset &+ count <= byteCount ? partialWord(offset, count: count) : 0
    }
}
