/// Loads that every scan of this module is made of.
///
/// All are bounds-checked: by `RawSpan`, or, where one comparison does for two, right before an unchecked load.
extension RawSpan {
    /// The byte at `offset`, or 0 behind the end: no byte 0 is ever valid JSON, so one comparison tests both.
    @inline(__always)
    func byteOrZero(_ offset: Int) -> UInt8 {
        // As an unsigned number a negative offset is beyond every count, so this is the whole bounds check.
        UInt(bitPattern: offset) < UInt(bitPattern: byteCount)
            ? unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) : 0
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

    /// Eight bytes from `offset` on, the first one lowest, or `nil` when fewer follow.
    @inline(__always)
    func wordIfPresent(_ offset: Int) -> UInt64? {
        // The same trick as above; behind fewer than eight bytes the difference is negative, which the first test sees.
        guard byteCount >= 8, UInt(bitPattern: offset) <= UInt(bitPattern: byteCount &- 8) else { return nil }
        return UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// `count` bytes (at most eight) from `offset` on, the first one lowest, the missing ones 0.
    @inline(__always)
    func partialWord(_ offset: Int, count: Int) -> UInt64 {
        if let word = wordIfPresent(offset) {
            return count >= 8 ? word : word & ((1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1)
        }
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

extension RawSpan {
    /// Whether a backslash stands in a stretch of this span.
    @inline(__always)
    func hasBackslash(in range: ByteRange) -> Bool {
        var offset = Int(range.lower)
        let end = Int(range.upper)
        while offset < end {
            let count = min(end &- offset, 8)
            let word = partialWord(offset, count: count) ^ 0x5C5C_5C5C_5C5C_5C5C
            // The classic test for a byte of 0; bytes beyond the range are 0x5C here.
            if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return true }
            offset &+= 8
        }
        return false
    }
}

extension ByteRange {
    /// What stands between a string's quotes.
    var insideQuotes: ByteRange { ByteRange(Int(lower) + 1, Int(upper) - 1) }
}
