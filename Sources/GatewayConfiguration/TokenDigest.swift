/// SHA-256 of a bearer token: what a tokens file holds instead of the token. Never printed, whoever asks.
public struct TokenDigest: Hashable, Sendable {
    private let words: SIMD8<UInt32>

    /// Of the token as the client sends it.
    public init(of token: some Sequence<UInt8>) {
        var hasher = SHA256()
        Array(token).withUnsafeBytes { hasher.update($0) }
        words = hasher.finishWords()
    }

    /// From 64 hex digits, either case; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard hex.utf8.count == 64 else { return nil }
        var words = SIMD8<UInt32>()
        for (index, byte) in hex.utf8.enumerated() {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            words[index / 8] = words[index / 8] << 4 | UInt32(digit)
        }
        self.words = words
    }

    /// Whether the two are equal, in a time that does not depend on where they differ.
    public func matches(_ other: TokenDigest) -> Bool {
        (words ^ other.words).anyBit == 0
    }

    /// A client could send it by accident: `Bearer` followed by nothing.
    static let ofNothing = TokenDigest(of: [])
}

extension SIMD8<UInt32> {
    /// Zero only when every bit is: all words or-ed, without a branch.
    fileprivate var anyBit: UInt32 {
        let half = lowHalf | highHalf
        let quarter = half.lowHalf | half.highHalf
        return quarter[0] | quarter[1]
    }
}

extension TokenDigest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Only that there is one.
    public var description: String { "(a token's digest)" }
    /// Only that there is one.
    public var debugDescription: String { description }
    /// Without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
