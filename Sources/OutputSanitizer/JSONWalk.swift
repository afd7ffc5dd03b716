/// Steps over JSON that has been checked.
enum JSONWalk {
    /// The first byte from `start` on that is no JSON white space.
    @inline(__always)
    static func skipWhitespace(_ bytes: RawSpan, from start: Int) -> Int {
        var offset = start
        while true {
            let byte = bytes.byteOrZero(offset)
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return offset }
            offset &+= 1
        }
    }

    /// Visits the content of each string in the value at `start` that is no member name and that `scan` does not call
    /// clean, in their order. Strings inside more than `maxDepth` containers of this value are passed over.
    ///
    /// - Returns: the offset behind the value.
    static func forEachSuspect(
        inValueAt start: Int, of bytes: RawSpan, maxDepth: Int, _ scan: QuickScan, _ visit: (Spelling.Place) -> Void
    ) -> Int {
        var depth = 0
        var offset = start
        repeat {
            switch bytes.byteOrZero(offset) {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth &+= 1
                offset &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth &-= 1
                offset &+= 1
            case UInt8(ascii: "\""):
                let verdict = scan.string(bytes, from: offset &+ 1)
                if !verdict.isClean, depth <= maxDepth {
                    // Whether it was a name shows only behind it, and matters only here.
                    let next = skipWhitespace(bytes, from: verdict.end &+ 1)
                    if bytes.byteOrZero(next) != UInt8(ascii: ":") {
                        visit(Spelling.Place(start: offset &+ 1, end: verdict.end))
                    }
                }
                offset = verdict.end &+ 1
            default: offset = endOfOther(bytes, from: offset)
            }
        } while depth > 0 && offset < bytes.byteCount
        return offset
    }

    /// Behind the value at `start`.
    static func skipValue(_ bytes: RawSpan, at start: Int) -> Int {
        var depth = 0
        var offset = start
        repeat {
            switch bytes.byteOrZero(offset) {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth &+= 1
                offset &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth &-= 1
                offset &+= 1
            case UInt8(ascii: "\""): offset = QuickScan.endOfString(bytes, from: offset &+ 1) &+ 1
            default: offset = endOfOther(bytes, from: offset)
            }
        } while depth > 0 && offset < bytes.byteCount
        return offset
    }

    /// Visits the members of the object at `start`: the content of the name, and where the value begins. `visit`
    /// returns where that ends.
    ///
    /// - Returns: the offset behind the object.
    static func forEachMember(
        ofObjectAt start: Int, of bytes: RawSpan, _ visit: (_ name: Spelling.Place, _ value: Int) -> Int
    ) -> Int {
        var offset = skipWhitespace(bytes, from: start &+ 1)
        while bytes.byteOrZero(offset) == UInt8(ascii: "\"") {
            let name = Spelling.Place(start: offset &+ 1, end: QuickScan.endOfString(bytes, from: offset &+ 1))
            let colon = skipWhitespace(bytes, from: name.end &+ 1)
            offset = visit(name, skipWhitespace(bytes, from: colon &+ 1))
            offset = skipWhitespace(bytes, from: offset)
            if bytes.byteOrZero(offset) == UInt8(ascii: ",") { offset = skipWhitespace(bytes, from: offset &+ 1) }
        }
        return offset &+ 1
    }

    /// Behind numbers, literals, commas, colons and white space. Takes one byte at least.
    @inline(__always)
    private static func endOfOther(_ bytes: RawSpan, from start: Int) -> Int {
        var offset = start &+ 1
        while true {
            let byte = bytes.byteOrZero(offset)
            // Brackets and braces differ from each other in bit 5 only.
            let folded = byte | 0x20
            if byte == UInt8(ascii: "\"") || folded == UInt8(ascii: "{") || folded == UInt8(ascii: "}") || byte == 0 {
                return offset
            }
            offset &+= 1
        }
    }
}
