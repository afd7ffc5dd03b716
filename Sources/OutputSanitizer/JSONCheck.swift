/// Whether a text is JSON, by the strict grammar of RFC 8259, at any depth and without recursion.
///
/// The text comes out of a string of a scanned message, hence its encoding is not checked again.
struct JSONCheck {
    /// One bit for each open container, set for an object; the innermost is the lowest of the last word.
    private var stack: [UInt64] = []
    private var top: UInt64 = 0
    private var depth = 0
    private var offset = 0

    /// Whether the whole text is one object or array, with white space around it or not.
    static func isContainer(_ text: RawSpan) -> Bool {
        var check = JSONCheck()
        return check.document(text)
    }

    private mutating func document(_ text: RawSpan) -> Bool {
        skipWhitespace(text)
        let first = text.byteOrZero(offset)
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "["), open(text) else { return false }
        while depth > 0 {
            guard item(text) else { return false }
        }
        skipWhitespace(text)
        return offset == text.byteCount
    }

    private var isObject: Bool { top & 1 == 1 }

    /// Goes into the container that begins here.
    private mutating func open(_ text: RawSpan) -> Bool {
        if depth > 0, depth % 64 == 0 {
            stack.append(top)
            top = 0
        }
        top = top &<< 1 | (text.byteOrZero(offset) == UInt8(ascii: "{") ? 1 : 0)
        depth &+= 1
        offset &+= 1
        skipWhitespace(text)
        // An empty container ends here, and so does what it is the last item of.
        if text.byteOrZero(offset) == close { return self.closing(text) }
        return true
    }

    private var close: UInt8 { isObject ? UInt8(ascii: "}") : UInt8(ascii: "]") }

    /// A value, with its name in an object, and what follows up to the next one's first byte.
    private mutating func item(_ text: RawSpan) -> Bool {
        if isObject {
            guard text.byteOrZero(offset) == UInt8(ascii: "\""), string(text) else { return false }
            skipWhitespace(text)
            guard text.byteOrZero(offset) == UInt8(ascii: ":") else { return false }
            offset &+= 1
            skipWhitespace(text)
        }
        switch text.byteOrZero(offset) {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return open(text)
        case UInt8(ascii: "\""): guard string(text) else { return false }
        case UInt8(ascii: "t"): guard literal("true", text) else { return false }
        case UInt8(ascii: "f"): guard literal("false", text) else { return false }
        case UInt8(ascii: "n"): guard literal("null", text) else { return false }
        default: guard number(text) else { return false }
        }
        return separator(text)
    }

    /// A comma, or the ends of containers up to the next comma.
    private mutating func separator(_ text: RawSpan) -> Bool {
        skipWhitespace(text)
        if text.byteOrZero(offset) == UInt8(ascii: ",") {
            offset &+= 1
            skipWhitespace(text)
            return true
        }
        return text.byteOrZero(offset) == close && closing(text)
    }

    /// The end of the innermost container, which stands here, and of all that end with it.
    private mutating func closing(_ text: RawSpan) -> Bool {
        while text.byteOrZero(offset) == close {
            offset &+= 1
            depth &-= 1
            if depth == 0 { return true }
            top &>>= 1
            if depth % 64 == 0, let word = stack.popLast() { top = word }
            skipWhitespace(text)
        }
        guard text.byteOrZero(offset) == UInt8(ascii: ",") else { return false }
        offset &+= 1
        skipWhitespace(text)
        return true
    }

    @inline(__always)
    private mutating func skipWhitespace(_ text: RawSpan) {
        offset = JSONWalk.skipWhitespace(text, from: offset)
    }

    private mutating func literal(_ word: StaticString, _ text: RawSpan) -> Bool {
        let start = offset
        offset &+= word.utf8CodeUnitCount
        return word.withUTF8Buffer { word in
            word.indices.allSatisfy { text.byteOrZero(start &+ $0) == word[$0] }
        }
    }

    private mutating func string(_ text: RawSpan) -> Bool {
        offset &+= 1
        while true {
            offset = text.firstStringByte(from: offset)
            guard offset < text.byteCount else { return false }
            switch text.byteOrZero(offset) {
            case UInt8(ascii: "\""):
                offset &+= 1
                return true
            case UInt8(ascii: "\\"):
                switch text.byteOrZero(offset &+ 1) {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                    UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                    offset &+= 2
                case UInt8(ascii: "u"):
                    for digit in 2..<6 where !Self.isHexDigit(text.byteOrZero(offset &+ digit)) { return false }
                    offset &+= 6
                default: return false
                }
            // A control character.
            default: return false
            }
        }
    }

    private mutating func number(_ text: RawSpan) -> Bool {
        if text.byteOrZero(offset) == UInt8(ascii: "-") { offset &+= 1 }
        if text.byteOrZero(offset) == UInt8(ascii: "0") {
            offset &+= 1
        } else if !digits(text) {
            return false
        }
        if text.byteOrZero(offset) == UInt8(ascii: ".") {
            offset &+= 1
            guard digits(text) else { return false }
        }
        if text.byteOrZero(offset) | 0x20 == UInt8(ascii: "e") {
            offset &+= 1
            let sign = text.byteOrZero(offset)
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { offset &+= 1 }
            guard digits(text) else { return false }
        }
        return true
    }

    private mutating func digits(_ text: RawSpan) -> Bool {
        let start = offset
        while text.byteOrZero(offset) &- UInt8(ascii: "0") < 10 { offset &+= 1 }
        return offset > start
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 6
    }
}

extension RawSpan {
    /// The first quote, backslash or control character from `start` on, or the end.
    @inline(__always)
    fileprivate func firstStringByte(from start: Int) -> Int {
        firstFlagged(from: start) { word in
            word.control | word.equal(to: UInt8(ascii: "\"")) | word.equal(to: UInt8(ascii: "\\"))
        }
    }
}
