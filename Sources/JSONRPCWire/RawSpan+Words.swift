/// Loads that every scan of this module is made of. All of them are bounds-checked by `RawSpan`.
extension RawSpan {
    /// The byte at `offset`, or 0 behind the end: no byte 0 is ever valid JSON, so one comparison tests both.
    @inline(__always)
    func byteOrZero(_ offset: Int) -> UInt8 {
        offset < byteCount ? byte(offset) : 0
    }

    /// The byte at `offset`.
    @inline(__always)
    func byte(_ offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// Eight bytes from `offset` on, the first one lowest.
    @inline(__always)
    func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// `count` bytes (at most eight) from `offset` on, the first one lowest, the missing ones 0.
    @inline(__always)
    func partialWord(_ offset: Int, count: Int) -> UInt64 {
        if count >= 8 { return word(offset) }
        if offset &+ 8 <= byteCount { return word(offset) & ((1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1) }
        var word: UInt64 = 0
        for index in 0..<count {
            word |= UInt64(byte(offset + index)) &<< UInt64(truncatingIfNeeded: index &* 8)
        }
        return word
    }

    /// Whether two stretches of this span hold the same bytes.
    func equal(_ first: ByteRange, _ second: ByteRange) -> Bool {
        guard first.count == second.count else { return false }
        var left = Int(first.lower)
        var right = Int(second.lower)
        let end = Int(first.upper)
        while left &+ 8 <= end {
            if word(left) != word(right) { return false }
            left &+= 8
            right &+= 8
        }
        while left < end {
            if byte(left) != byte(right) { return false }
            left &+= 1
            right &+= 1
        }
        return true
    }
}

extension ByteRange {
    /// The same range of something that begins `offset` bytes later.
    func shifted(by offset: Int) -> ByteRange {
        ByteRange(Int(lower) + offset, Int(upper) + offset)
    }

    /// What stands between a string's quotes.
    var insideQuotes: ByteRange { ByteRange(Int(lower) + 1, Int(upper) - 1) }
}
