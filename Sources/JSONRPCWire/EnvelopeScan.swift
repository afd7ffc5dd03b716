/// One pass over one message: its grammar, and the members that the gateway knows.
///
/// A broken rule about names does not end the pass. Only the whole text shows whether it is JSON, what its id is and
/// whether it is a response, and the answer depends on all three.
struct EnvelopeScan {
    /// Where the value of `jsonrpc` stands.
    private(set) var version = ByteRange.absent
    /// The first violation, if any.
    private(set) var violation: Violation?
    /// Whether two readers could disagree about which member is the id.
    private(set) var isIDAmbiguous = false

    private let depthLimit: Int
    /// Unknown names of the levels that are open now, each level behind the one around it.
    private var recentKeys = InlineArray<16, ByteRange>(repeating: .absent)
    private var recentKeyCount = 0

    /// A name above this length is compared by its hash, lest a few long ones be compared over and over.
    private static let longestRecentKey = 256

    @inline(__always)
    init(depthLimit: Int) {
        self.depthLimit = depthLimit
    }

    /// Reads the object that begins at `open`, and the known objects in it; returns the offset behind it.
    mutating func object(
        _ level: Level, of bytes: RawSpan, at open: Int, depth: Int, into scan: inout MessageScan, _ table: NameTable
    ) throws(SyntaxError) -> Int {
        guard depth <= depthLimit else { throw SyntaxError(problem: .depth, offset: open) }
        var offset = JSONSyntax.skipWhitespace(bytes, from: open &+ 1)
        if bytes.byteOrZero(offset) == UInt8(ascii: "}") { return offset &+ 1 }
        let firstKey = recentKeyCount
        var seen: UInt64 = 0
        var manyKeys: KeySet?

        while true {
            guard bytes.byteOrZero(offset) == UInt8(ascii: "\"") else {
                throw SyntaxError(problem: .key, offset: offset)
            }
            let end = try JSONSyntax.string(bytes, at: offset)
            let key = ByteRange(offset, end.end).insideQuotes
            let match =
                end.isASCII && !end.hasEscapes
                ? table.match(bytes, key, in: level) : unplainMatch(key, end, level, table, bytes)
            var member: Member?
            var isFirst = true
            switch match {
            case .exact(let index):
                let entry = table.entries[index]
                member = entry.member
                isFirst = seen & entry.bit == 0
                seen |= entry.bit
                if !isFirst { note(.repeatedKnownName(index, level), about: member, at: offset) }
            case .lookAlike(let index):
                note(.lookAlike(index, level), about: table.entries[index].member, at: offset)
            case .none where violation == nil:
                note(key, end, level, from: firstKey, in: &manyKeys, bytes)
            case .none: break
            }

            let start = try JSONSyntax.colon(bytes, at: end.end)
            if let member {
                if let inner = Level.opened(by: member), bytes.byteOrZero(start) == UInt8(ascii: "{") {
                    offset = try object(inner, of: bytes, at: start, depth: depth &+ 1, into: &scan, table)
                } else {
                    offset = try JSONSyntax.value(bytes, at: start, depth: depth &+ 1, limit: depthLimit)
                }
                if isFirst { scan.ranges[member.rawValue] = ByteRange(start, offset) }
            } else {
                offset = try JSONSyntax.value(bytes, at: start, depth: depth &+ 1, limit: depthLimit)
                // The envelope's one known name that is no recorded member is `jsonrpc`.
                if level == .envelope, case .exact = match { version = ByteRange(start, offset) }
            }

            offset = JSONSyntax.skipWhitespace(bytes, from: offset)
            let next = bytes.byteOrZero(offset)
            if next == UInt8(ascii: "}") {
                recentKeyCount = firstKey
                return offset &+ 1
            }
            guard next == UInt8(ascii: ",") else { throw SyntaxError(problem: .commaOrBrace, offset: offset) }
            offset = JSONSyntax.skipWhitespace(bytes, from: offset &+ 1)
        }
    }

    /// Notes the first violation; later ones add nothing to the answer.
    mutating func note(_ rule: Violation.Rule, at offset: Int) {
        if violation == nil { violation = Violation(rule: rule, offset: offset) }
    }

    private mutating func note(_ rule: Violation.Rule, about member: Member?, at offset: Int) {
        if member == .id { isIDAmbiguous = true }
        note(rule, at: offset)
    }
}

extension EnvelopeScan {
    /// Looks up a key with escapes or with characters beyond ASCII.
    @inline(never)
    private mutating func unplainMatch(
        _ key: ByteRange, _ end: JSONSyntax.StringEnd, _ level: Level, _ table: NameTable, _ bytes: RawSpan
    ) -> NameTable.Match {
        guard !end.hasEscapes || Unescaping.isText(key, of: bytes) else {
            note(.surrogateInName(level), at: Int(key.lower))
            return .none
        }
        // Escaped to the full, a name of the longest kind takes six bytes for each of its own, all else is no name.
        guard key.count <= NameTable.longestName * 6 else { return .none }
        var text: [UInt8] = []
        _ = Unescaping.append(key, of: bytes, to: &text)  // is text, as tested above
        return table.match(unescaped: text, in: level)
    }

    /// Remembers an unknown name and notes a violation when the level has it already.
    private mutating func note(
        _ key: ByteRange, _ end: JSONSyntax.StringEnd, _ level: Level, from firstKey: Int,
        in manyKeys: inout KeySet?, _ bytes: RawSpan
    ) {
        let isNew: Bool
        if manyKeys == nil, recentKeyCount < recentKeys.count, !end.hasEscapes, key.count <= Self.longestRecentKey {
            var isFirst = true
            for index in firstKey..<recentKeyCount where bytes.equal(recentKeys[index], key) { isFirst = false }
            isNew = isFirst
            recentKeys[recentKeyCount] = key
            recentKeyCount &+= 1
        } else {
            var set = manyKeys.take() ?? KeySet()
            for index in firstKey..<recentKeyCount {
                _ = set.insert(recentKeys[index], hasEscapes: false, of: bytes)  // known to differ from each other
            }
            recentKeyCount = firstKey
            isNew = set.insert(key, hasEscapes: end.hasEscapes, of: bytes)
            manyKeys = set
        }
        if !isNew { note(.repeatedName(level), at: Int(key.lower)) }
    }
}
