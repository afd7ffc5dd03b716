internal import JSONRPCWire
internal import NIOCore

/// Steps through a text that the scanner has found to be JSON.
///
/// Unlike the scanner it checks nothing again. Given other bytes it finds meaningless ranges, never a place outside.
enum JSONWalk {
    /// The byte at `offset`, or 0 outside.
    @inline(__always)
    static func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
        UInt(bitPattern: offset) < UInt(bitPattern: bytes.byteCount)
            ? bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) : 0
    }

    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    @inline(__always)
    static func skipSpace(_ bytes: RawSpan, from start: Int) -> Int {
        var offset = start
        while isSpace(byte(bytes, offset)) { offset &+= 1 }
        return offset
    }

    /// The first offset in `start..<limit` where one of two ASCII characters stands, or one not below `limit`.
    @inline(__always)
    static func find(_ first: UInt8, or second: UInt8, in bytes: RawSpan, from start: Int, to limit: Int) -> Int {
        let end = min(limit, bytes.byteCount)
        let ones: UInt64 = 0x0101_0101_0101_0101
        var offset = start
        while offset >= 0, offset &+ 8 <= end {
            let word = UInt64(
                littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
            let one = word ^ (ones &* UInt64(first))
            let two = word ^ (ones &* UInt64(second))
            // The classic test for a byte of 0. A borrow disturbs only what stands above a hit, and the lowest counts.
            let hits = ((one &- ones) & ~one | (two &- ones) & ~two) & (ones &<< 7)
            if hits != 0 { return offset &+ hits.trailingZeroBitCount &>> 3 }
            offset &+= 8
        }
        while offset < end {
            let byte = byte(bytes, offset)
            if byte == first || byte == second { return offset }
            offset &+= 1
        }
        return offset
    }

    /// The offset behind the string that begins at `open`.
    static func stringEnd(_ bytes: RawSpan, at open: Int) -> Int {
        var offset = open &+ 1
        while true {
            offset = find(UInt8(ascii: "\""), or: UInt8(ascii: "\\"), in: bytes, from: offset, to: bytes.byteCount)
            guard offset < bytes.byteCount else { return bytes.byteCount }
            if byte(bytes, offset) == UInt8(ascii: "\"") { return offset &+ 1 }
            offset &+= 2
        }
    }

    /// The offset behind the value that begins at `start`.
    static func valueEnd(_ bytes: RawSpan, at start: Int) -> Int {
        var offset = start
        var depth = 0
        repeat {
            switch byte(bytes, offset) {
            case UInt8(ascii: "\""): offset = stringEnd(bytes, at: offset)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth &+= 1
                offset &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth &-= 1
                offset &+= 1
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09: offset &+= 1
            default: offset = scalarEnd(bytes, at: offset)
            }
        } while depth > 0 && offset < bytes.byteCount
        return min(offset, bytes.byteCount)
    }

    private static func scalarEnd(_ bytes: RawSpan, at start: Int) -> Int {
        var offset = start &+ 1
        while offset < bytes.byteCount {
            switch byte(bytes, offset) {
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x0A, 0x0D, 0x09: return offset
            default: offset &+= 1
            }
        }
        return bytes.byteCount
    }

    /// Where the member begins whose value begins at `value`: the offset of its name's opening quote.
    ///
    /// Only for the members that the scanner records. None of their names has a quote in it, however it is spelled, so
    /// the next one to the left opens it.
    static func memberStart(_ bytes: RawSpan, ofValueAt value: Int) -> Int {
        var offset = value &- 1
        while offset > 0, byte(bytes, offset) != UInt8(ascii: "\"") { offset &-= 1 }
        offset &-= 1
        while offset > 0, byte(bytes, offset) != UInt8(ascii: "\"") { offset &-= 1 }
        return max(offset, 0)
    }
}

/// The members of an object or the elements of an array, one after the other.
struct ItemCursor {
    private var offset: Int
    private let isObject: Bool
    private var isDone: Bool

    /// Begins before the first item of the value in `range`; a value of another kind has none.
    init(_ range: ByteRange, in bytes: RawSpan) {
        self.init(at: range.isPresent ? Int(range.lower) : -1, in: bytes)
    }

    /// Begins before the first item of the value that begins at `open`.
    init(at open: Int, in bytes: RawSpan) {
        let byte = JSONWalk.byte(bytes, open)
        isObject = byte == UInt8(ascii: "{")
        offset = JSONWalk.skipSpace(bytes, from: open &+ 1)
        let first = JSONWalk.byte(bytes, offset)
        isDone =
            !(isObject || byte == UInt8(ascii: "[")) || first == UInt8(ascii: "}") || first == UInt8(ascii: "]")
    }

    /// Behind the last item: the offset behind the closing brace or bracket.
    var end: Int { offset &+ 1 }

    /// The next item: its name with quotes (absent in an array) and its value; `nil` behind the last.
    @inline(__always)
    mutating func next(_ bytes: RawSpan) -> (key: ByteRange, value: ByteRange)? {
        guard let (key, start) = nextKey(bytes) else { return nil }
        let value = ByteRange(start, JSONWalk.valueEnd(bytes, at: start))
        leaveValue(at: Int(value.upper), bytes)
        return (key, value)
    }

    /// The name of the next item and the offset where its value begins, for who walks that value anyway: to be followed
    /// by ``leaveValue(at:_:)``.
    @inline(__always)
    mutating func nextKey(_ bytes: RawSpan) -> (key: ByteRange, value: Int)? {
        guard !isDone else { return nil }
        guard isObject else { return (.absent, offset) }
        let key = ByteRange(offset, JSONWalk.stringEnd(bytes, at: offset))
        offset = JSONWalk.skipSpace(bytes, from: Int(key.upper))
        offset = JSONWalk.skipSpace(bytes, from: offset &+ 1)
        return (key, offset)
    }

    /// Goes on behind the value that ends at `end`.
    @inline(__always)
    mutating func leaveValue(at end: Int, _ bytes: RawSpan) {
        offset = JSONWalk.skipSpace(bytes, from: end)
        isDone = JSONWalk.byte(bytes, offset) != UInt8(ascii: ",")
        if !isDone { offset = JSONWalk.skipSpace(bytes, from: offset &+ 1) }
    }
}
