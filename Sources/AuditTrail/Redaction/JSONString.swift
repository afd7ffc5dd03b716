import Glibc

/// The string literals of JSON, read leniently: who hides secrets must understand at least what any reader would.
enum JSONString {
    /// Where the content of the literal that opens at `quote` ends, and whether it holds a backslash; nil without a
    /// closing quote.
    static func end(_ bytes: UnsafeBufferPointer<UInt8>, quote: Int) -> (end: Int, escaped: Bool)? {
        guard quote + 1 < bytes.count,
            let close = first(UInt8(ascii: "\""), in: bytes, quote + 1..<bytes.count)
        else { return nil }
        guard var at = first(UInt8(ascii: "\\"), in: bytes, quote + 1..<close) else { return (close, false) }
        var escaped = false
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""): return (at, escaped)
            case UInt8(ascii: "\\"):
                escaped = true
                at += 2
            default: at += 1
            }
        }
        return nil
    }

    /// Where `byte` first stands in `range`. Most literals hold no escape, and memchr looks at many bytes at once.
    private static func first(_ byte: UInt8, in bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
        guard let base = bytes.baseAddress, !range.isEmpty else { return nil }
        guard let found = memchr(base + range.lowerBound, Int32(byte), range.count) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// The content with its escapes resolved. An unknown escape stands for the character behind the backslash, a lone
    /// surrogate for U+FFFD.
    static func unescaped(_ content: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        guard first(UInt8(ascii: "\\"), in: content, 0..<content.count) != nil else { return Array(content) }
        var out: [UInt8] = []
        out.reserveCapacity(content.count)
        var at = 0
        while at < content.count {
            guard content[at] == UInt8(ascii: "\\"), at + 1 < content.count else {
                out.append(content[at])
                at += 1
                continue
            }
            let letter = content[at + 1]
            at += 2
            switch letter {
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "u"):
                guard let unit = hex4(content, at) else {
                    out.append(letter)
                    continue
                }
                at += 4
                if unit & 0xFC00 == 0xD800, at + 6 <= content.count, content[at] == UInt8(ascii: "\\"),
                    content[at + 1] == UInt8(ascii: "u"), let low = hex4(content, at + 2), low & 0xFC00 == 0xDC00
                {
                    at += 6
                    UTF8Scalar.encode(0x1_0000 + (unit & 0x3FF) << 10 + low & 0x3FF, into: &out)
                } else {
                    UTF8Scalar.encode(unit, into: &out)
                }
            default: out.append(letter)
            }
        }
        return out
    }

    private static func hex4(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> UInt32? {
        guard at + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for index in at..<at + 4 {
            switch bytes[index] {
            case let digit where digit >= 0x30 && digit <= 0x39: value = value << 4 | UInt32(digit - 0x30)
            case let letter where letter | 0x20 >= 0x61 && letter | 0x20 <= 0x66:
                value = value << 4 | UInt32((letter | 0x20) - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }
}
