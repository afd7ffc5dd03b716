/// The loads and searches that all stages are made of. Each is bounds-checked, right before an unchecked load where one
/// comparison does for many bytes.
extension RawSpan {
    /// The byte at `offset`, or 0 behind the end. No JSON string holds a byte 0, so one comparison tests both.
    @inline(__always)
    func byteOrZero(_ offset: Int) -> UInt8 {
        // As an unsigned number a negative offset is beyond every count, so this is the whole bounds check.
        UInt(bitPattern: offset) < UInt(bitPattern: byteCount)
            ? unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) : 0
    }

    /// Whether `count` bytes follow from `offset` on.
    @inline(__always)
    private func has(_ count: Int, from offset: Int) -> Bool {
        // The same trick; with fewer than `count` bytes in all the difference is negative, which the first test sees.
        byteCount >= count && UInt(bitPattern: offset) <= UInt(bitPattern: byteCount &- count)
    }

    /// Eight bytes from `offset` on, the first one lowest; there must be as many.
    @inline(__always)
    private func uncheckedWord(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// Where the first byte from `start` on stands whose highest bit `flags` sets, or the end. `flags` is given eight
    /// bytes at once. Of the set bits only the lowest has to be right.
    @inline(__always)
    func firstFlagged(from start: Int, _ flags: (UInt64) -> UInt64) -> Int {
        let highest: UInt64 = 0x8080_8080_8080_8080
        var offset = start
        // Many searches end within the first word; the others go on with four at once.
        if has(8, from: offset) {
            let found = flags(uncheckedWord(offset)) & highest
            if found != 0 { return offset &+ (found.trailingZeroBitCount &>> 3) }
            offset &+= 8
        }
        while has(32, from: offset) {
            let found =
                flags(uncheckedWord(offset)) | flags(uncheckedWord(offset &+ 8))
                | flags(uncheckedWord(offset &+ 16)) | flags(uncheckedWord(offset &+ 24))
            if found & highest != 0 { break }
            offset &+= 32
        }
        while has(8, from: offset) {
            let found = flags(uncheckedWord(offset)) & highest
            if found != 0 { return offset &+ (found.trailingZeroBitCount &>> 3) }
            offset &+= 8
        }
        var rest: UInt64 = 0
        for index in 0..<Swift.max(0, byteCount &- offset) {
            rest |= UInt64(byteOrZero(offset &+ index)) &<< UInt64(index &* 8)
        }
        let found = flags(rest) & highest
        return Swift.min(byteCount, offset &+ (found == 0 ? 8 : found.trailingZeroBitCount &>> 3))
    }

    /// Where the first of two ASCII characters stands from `start` on, or the end.
    @inline(__always)
    func first(_ one: UInt8, _ other: UInt8, from start: Int) -> Int {
        firstFlagged(from: start) { word in word.equal(to: one) | word.equal(to: other) }
    }
}

/// Tests of eight bytes at once. Each sets the highest bit of the bytes that pass, and may set it by mistake in bytes
/// above the lowest one that does: a subtraction borrows from there.
extension UInt64 {
    /// A word of eight times the same byte.
    @inline(__always)
    private static func each(_ byte: UInt8) -> UInt64 {
        UInt64(byte) &* 0x0101_0101_0101_0101
    }

    /// Bytes that are `byte`.
    @inline(__always)
    func equal(to byte: UInt8) -> UInt64 {
        let difference = self ^ Self.each(byte)
        return (difference &- Self.each(1)) & ~difference
    }

    /// Bytes that are `byte`, which is even, or the one behind it.
    @inline(__always)
    func equal(toPairAt byte: UInt8) -> UInt64 {
        (self & Self.each(0xFE)).equal(to: byte)
    }

    /// Bytes from `byte` on, which is no more than 0x80 and no less than 1.
    @inline(__always)
    func atLeast(_ byte: UInt8) -> UInt64 {
        // Only a byte that passes by itself can carry into the next one.
        self | (self &+ Self.each(0x80 &- byte))
    }

    /// Control characters, that is, bytes below 0x20.
    @inline(__always)
    var control: UInt64 { (self &- Self.each(0x20)) & ~self }
}
