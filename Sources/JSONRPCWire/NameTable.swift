/// Finds a member name among the known ones of a level in a few instructions, exactly or as a look-alike.
///
/// For each level a part of open addressing over the length and the first and last eight bytes with bit 5 set, so that
/// a name and its look-alikes meet in one slot. The table is fixed, hence nothing a message says can lengthen a search.
final class NameTable: Sendable {
    enum Match {
        /// Not a known name.
        case none
        /// The known name with this index.
        case exact(Int)
        /// Equal to the known name with this index after case folding only.
        case lookAlike(Int)
    }

    /// The one table there is.
    static let shared = NameTable()

    /// Known names longer than this do not exist; a folded key beyond it cannot match.
    static let longestName = 64

    /// What is known of a name without looking at its text.
    struct Entry {
        /// The member that the name stands for.
        var member: Member?
        /// The name's own bit in the set of names that its level has shown.
        var bit: UInt64
        var length = 0
        var first: UInt64 = 0
        var last: UInt64 = 0
        /// Where the whole name stands in ``texts``.
        var start = 0
        /// Where the words between the first and the last stand in ``middles``, less one.
        var middle = 0
    }

    private static let caseBits: UInt64 = 0x2020_2020_2020_2020
    private static let slotsPerLevel = 128
    private static let free = UInt8.max

    /// All names, by their index.
    let names: [KnownName]
    /// The entries, by the names' index.
    let entries: [Entry]
    private let slots: [UInt8]
    private let texts: [UInt8]
    private let middles: [UInt64]

    private init() {
        var names: [KnownName] = []
        var entries: [Entry] = []
        var slots = [UInt8](repeating: Self.free, count: Self.slotsPerLevel * Level.allCases.count)
        var texts: [UInt8] = []
        var middles: [UInt64] = []
        for level in Level.allCases {
            for (index, name) in MemberNames.names(of: level).enumerated() {
                precondition(index < UInt64.bitWidth, "one word holds a level's set of seen names")
                let text = Array(name.text.utf8)
                precondition(text.count <= Self.longestName, "a known name is longer than the longest known name")
                let words = Self.words(text.span.bytes, ByteRange(0, text.count))
                var slot = Self.slot(words, level)
                while slots[slot] != Self.free { slot = Self.next(slot) }
                slots[slot] = UInt8(entries.count)
                entries.append(
                    Entry(
                        member: name.member, bit: 1 << UInt64(index), length: text.count, first: words.first,
                        last: words.last, start: texts.count, middle: middles.count - 1))
                names.append(name)
                texts += text
                for offset in stride(from: 8, to: text.count - 8, by: 8) {
                    middles.append(text.span.bytes.word(offset))
                }
            }
        }
        self.names = names
        self.entries = entries
        self.slots = slots
        self.texts = texts
        self.middles = middles
    }

    /// Looks up the key in `range` of a level's object, all ASCII and without escapes.
    @inline(__always)
    func match(_ bytes: RawSpan, _ range: ByteRange, in level: Level) -> Match {
        let words = Self.words(bytes, range)
        var slot = Self.slot(words, level)
        while true {
            let index = slots[slot]
            if index == Self.free { return .none }
            let entry = entries[Int(index)]
            if entry.length == words.length,
                (entry.first ^ words.first) | (entry.last ^ words.last) | Self.caseBits == Self.caseBits
            {
                if entry.first == words.first, entry.last == words.last, isMiddleEqual(entry, bytes, range) {
                    return .exact(Int(index))
                }
                if isEqualFolded(entry, bytes, range) { return .lookAlike(Int(index)) }
            }
            slot = Self.next(slot)
        }
    }

    /// Looks up an unescaped key that may hold any character.
    func match(unescaped key: [UInt8], in level: Level) -> Match {
        var folded: [UInt8] = []
        var index = 0
        while index < key.count {
            guard folded.count < Self.longestName else { return .none }
            if key[index] == 0xC5, index + 1 < key.count, key[index + 1] == 0xBF {
                folded.append(UInt8(ascii: "s"))  // U+017F, latin small letter long s
                index += 2
            } else if key[index] == 0xE2, index + 2 < key.count, key[index + 1] == 0x84, key[index + 2] == 0xAA {
                folded.append(UInt8(ascii: "k"))  // U+212A, kelvin sign
                index += 3
            } else {
                folded.append(key[index])
                index += 1
            }
        }
        switch match(folded.span.bytes, ByteRange(0, folded.count), in: level) {
        case .none: return .none
        // Had a character been folded here, the key would be longer than the name.
        case .exact(let name) where folded.count == key.count: return .exact(name)
        case .exact(let name), .lookAlike(let name): return .lookAlike(name)
        }
    }

    private typealias Words = (first: UInt64, last: UInt64, length: Int)

    @inline(__always)
    private static func words(_ bytes: RawSpan, _ range: ByteRange) -> Words {
        let first = bytes.partialWord(Int(range.lower), count: range.count)
        let last = range.count > 8 ? bytes.word(Int(range.upper) &- 8) : first
        return (first, last, range.count)
    }

    @inline(__always)
    private static func slot(_ words: Words, _ level: Level) -> Int {
        let first = (words.first | caseBits) &* 0x9E37_79B9_7F4A_7C15
        let last = (words.last | caseBits) &* 0xC2B2_AE3D_27D4_EB4F
        let mixed = ((first ^ last) &+ UInt64(truncatingIfNeeded: words.length)) &* 0xFF51_AFD7_ED55_8CCD
        // Seven bits, as many as each level has slots.
        return level.rawValue &* slotsPerLevel &+ Int(truncatingIfNeeded: mixed &>> 57)
    }

    /// The slot behind this one, around the end of its level's part.
    @inline(__always)
    private static func next(_ slot: Int) -> Int {
        slot & ~(slotsPerLevel &- 1) | (slot &+ 1) & (slotsPerLevel &- 1)
    }

    /// Compares what lies between the first and the last word.
    @inline(__always)
    private func isMiddleEqual(_ entry: Entry, _ bytes: RawSpan, _ range: ByteRange) -> Bool {
        guard entry.length > 16 else { return true }
        var offset = 8
        // The last step may reach into the last word, never beyond the name.
        while offset < entry.length &- 8 {
            if bytes.word(Int(range.lower) &+ offset) != middles[entry.middle &+ (offset &>> 3)] { return false }
            offset &+= 8
        }
        return true
    }

    private func isEqualFolded(_ entry: Entry, _ bytes: RawSpan, _ range: ByteRange) -> Bool {
        for offset in 0..<entry.length
        where Self.folded(bytes.byte(Int(range.lower) + offset)) != Self.folded(texts[entry.start + offset]) {
            return false
        }
        return true
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }
}
