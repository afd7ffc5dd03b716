/// The confirmation tokens of upstreams that ask before they delete: `<expiry>:<nonce>:<hmac>`, which is digits, 16 hex
/// digits and 64 hex digits. Whoever reads one in a log could confirm with it; only its nonce may be printed.
enum ConfirmationToken {
    /// No shorter text holds a token: one digit, two colons, 16 and 64 hex digits.
    static let shortest = 1 + 1 + 16 + 1 + 64

    /// `bytes` with every token replaced by its nonce; nil when there is none.
    ///
    /// A run of more than 64 hex digits is taken away whole, and so are all the digits in front: rather too much.
    static func strip(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard bytes.count >= shortest else { return nil }
        var stripped: [UInt8]?
        var copied = 0
        var at = 1
        while at + 82 <= bytes.count {
            guard isToken(bytes, colon: at) else {
                at += 1
                continue
            }
            var start = at
            while start > copied, isDigit(bytes[start - 1]) { start -= 1 }
            var end = at + 82
            while end < bytes.count, isHex(bytes[end]) { end += 1 }
            stripped = stripped ?? []
            stripped?.append(contentsOf: bytes[copied..<start])
            stripped?.append(contentsOf: bytes[at + 1..<at + 17])
            copied = end
            at = end + 1
        }
        stripped?.append(contentsOf: bytes[copied...])
        return stripped
    }

    /// The nonce of the first token in `bytes`; nil when there is none.
    static func nonce(in bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        guard bytes.count >= shortest else { return nil }
        for at in 1...bytes.count - 82 where isToken(bytes, colon: at) {
            return UnsafeBufferPointer(rebasing: bytes[at + 1..<at + 17])
        }
        return nil
    }

    /// Whether a token's first colon stands at `at`; 82 bytes are there.
    private static func isToken(_ bytes: UnsafeBufferPointer<UInt8>, colon at: Int) -> Bool {
        bytes[at] == UInt8(ascii: ":") && isDigit(bytes[at - 1]) && bytes[at + 17] == UInt8(ascii: ":")
            && isHex(bytes, at + 1..<at + 17) && isHex(bytes, at + 18..<at + 82)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func isHex(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66)
    }

    private static func isHex(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        range.allSatisfy { isHex(bytes[$0]) }
    }
}
