/// Base64 (RFC 4648), strict: only what the encoder would have written decodes, so that no two texts mean the same.
enum Base64Text {
    enum Alphabet {
        /// `+` and `/`, with padding (§4).
        case standard
        /// `-` and `_`, without padding (§5).
        case url

        fileprivate var last: (UInt8, UInt8) {
            switch self {
            case .standard: (UInt8(ascii: "+"), UInt8(ascii: "/"))
            case .url: (UInt8(ascii: "-"), UInt8(ascii: "_"))
            }
        }

        fileprivate func value(_ character: UInt8) -> UInt32? {
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
            case last.0: 62
            case last.1: 63
            default: nil
            }
        }

        fileprivate func character(_ value: UInt32) -> UInt8 {
            let value = UInt8(truncatingIfNeeded: value)
            return switch value {
            case 0..<26: UInt8(ascii: "A") + value
            case 26..<52: UInt8(ascii: "a") + (value - 26)
            case 52..<62: UInt8(ascii: "0") + (value - 52)
            case 62: last.0
            default: last.1
            }
        }
    }

    /// The text of `bytes` without padding.
    static func encode(_ bytes: [UInt8], _ alphabet: Alphabet) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var group = UInt32(bytes[index]) << 16
            if count > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if count > 2 { group |= UInt32(bytes[index + 2]) }
            for digit in 0...count { text.append(alphabet.character(group >> UInt32(18 - 6 * digit) & 0x3F)) }
            index += count
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that `text` stands for; `nil` where it is not exactly what encodes them.
    static func decode(_ text: some BidirectionalCollection<UInt8>, _ alphabet: Alphabet) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var group: UInt32 = 0
        var digits = 0
        var rest = text[...]
        if alphabet == .standard {
            guard text.count.isMultiple(of: 4) else { return nil }
            var padding = 0
            while padding < 2, rest.last == UInt8(ascii: "=") {
                rest = rest.dropLast()
                padding += 1
            }
        }
        for character in rest {
            guard let value = alphabet.value(character) else { return nil }
            group = group << 6 | value
            digits += 1
            guard digits == 4 else { continue }
            bytes.append(UInt8(truncatingIfNeeded: group >> 16))
            bytes.append(UInt8(truncatingIfNeeded: group >> 8))
            bytes.append(UInt8(truncatingIfNeeded: group))
            group = 0
            digits = 0
        }
        switch digits {
        case 0: return bytes
        // Bits behind the last byte must be zero, else several texts would stand for one.
        case 2 where group & 0xF == 0: bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        case 3 where group & 0x3 == 0:
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        default: return nil
        }
        return bytes
    }
}
