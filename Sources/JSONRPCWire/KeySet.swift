/// The member names of one object that has many, long or escaped ones: finds two that are equal after unescaping.
///
/// An open-addressing table over a hash that is seeded anew in each process, so that nobody can prepare names that
/// collide; names whose hashes are equal are compared in full. Time and memory grow with the number of names.
struct KeySet {
    private struct Key {
        var content: ByteRange
        var hash: Int
        var hasEscapes: Bool
    }

    private var keys: [Key] = []
    /// Index into ``keys`` plus one; 0 is a free slot.
    private var slots = [UInt32](repeating: 0, count: 64)

    /// Adds the name in `content` (without its quotes; Unicode text when it has escapes).
    ///
    /// - Returns: `false` when an equal one is there already.
    mutating func insert(_ content: ByteRange, hasEscapes: Bool, of bytes: RawSpan) -> Bool {
        let key = Key(content: content, hash: Self.hash(content, hasEscapes, bytes), hasEscapes: hasEscapes)
        var slot = key.hash & (slots.count - 1)
        while slots[slot] != 0 {
            let other = keys[Int(slots[slot]) - 1]
            if other.hash == key.hash, Self.areEqual(other, key, bytes) { return false }
            slot = (slot + 1) & (slots.count - 1)
        }
        keys.append(key)
        slots[slot] = UInt32(keys.count)
        if keys.count * 2 > slots.count { grow() }
        return true
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 4)
        for (index, key) in keys.enumerated() {
            var slot = key.hash & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(index + 1)
        }
    }

    private static func hash(_ content: ByteRange, _ hasEscapes: Bool, _ bytes: RawSpan) -> Int {
        var hasher = Hasher()
        if hasEscapes {
            unescaped(content, bytes).withUnsafeBytes { hasher.combine(bytes: $0) }
        } else {
            bytes.extracting(Int(content.lower)..<Int(content.upper)).withUnsafeBytes { hasher.combine(bytes: $0) }
        }
        return hasher.finalize()
    }

    private static func areEqual(_ first: Key, _ second: Key, _ bytes: RawSpan) -> Bool {
        guard first.hasEscapes || second.hasEscapes else { return bytes.equal(first.content, second.content) }
        return unescaped(first.content, bytes) == unescaped(second.content, bytes)
    }

    private static func unescaped(_ content: ByteRange, _ bytes: RawSpan) -> [UInt8] {
        var text: [UInt8] = []
        // The result tells of lone surrogates only, and names with those never come here.
        _ = Unescaping.append(content, of: bytes, to: &text)
        return text
    }
}
