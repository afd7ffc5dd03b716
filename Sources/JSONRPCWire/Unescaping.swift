/// Reading the value of a string whose syntax has been checked.
enum Unescaping {
    /// Appends the UTF-8 of what stands in `content` (a string without its quotes) with every escape resolved.
    ///
    /// - Returns: `false` when a surrogate has no partner, so that the string is no Unicode text; what was appended
    ///   until then stays.
    static func append(_ content: ByteRange, of bytes: RawSpan, to output: inout [UInt8]) -> Bool {
        var offset = Int(content.lower)
        let end = Int(content.upper)
        while offset < end {
            let byte = bytes.byte(offset)
            guard byte == UInt8(ascii: "\\") else {
                output.append(byte)
                offset &+= 1
                continue
            }
            switch bytes.byte(offset &+ 1) {
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "n"): output.append(0x0A)
            case UInt8(ascii: "r"): output.append(0x0D)
            case UInt8(ascii: "t"): output.append(0x09)
            case UInt8(ascii: "u"):
                guard let scalar = scalar(bytes, at: &offset, end: end) else { return false }
                output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                continue
            case let literal: output.append(literal)
            }
            offset &+= 2
        }
        return true
    }

    /// Whether the string in `content` is Unicode text, that is, without a surrogate that has no partner.
    @inline(__always)
    static func isText(_ content: ByteRange, of bytes: RawSpan) -> Bool {
        !bytes.hasBackslash(in: content) || hasPartners(content, of: bytes)
    }

    @inline(never)
    private static func hasPartners(_ content: ByteRange, of bytes: RawSpan) -> Bool {
        var offset = Int(content.lower)
        let end = Int(content.upper)
        while offset < end {
            if bytes.byte(offset) != UInt8(ascii: "\\") {
                offset &+= 1
            } else if bytes.byte(offset &+ 1) != UInt8(ascii: "u") {
                offset &+= 2
            } else if scalar(bytes, at: &offset, end: end) == nil {
                return false
            }
        }
        return true
    }

    /// Reads `\uXXXX`, with its partner where it is half of a pair, and moves behind it.
    private static func scalar(_ bytes: RawSpan, at offset: inout Int, end: Int) -> Unicode.Scalar? {
        guard let first = codeUnit(bytes, at: offset, end: end) else { return nil }
        offset &+= 6
        // Fails for a surrogate only, since four hex digits stay below U+10000.
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, let second = codeUnit(bytes, at: offset, end: end), second & 0xFC00 == 0xDC00 else {
            return nil
        }
        offset &+= 6
        return Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + (second & 0x3FF))
    }

    private static func codeUnit(_ bytes: RawSpan, at offset: Int, end: Int) -> UInt32? {
        guard offset &+ 6 <= end, bytes.byte(offset) == UInt8(ascii: "\\"),
            bytes.byte(offset &+ 1) == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt32 = 0
        for digit in 2..<6 {
            guard let value = JSONSyntax.hexValue(bytes.byte(offset &+ digit)) else { return nil }
            unit = unit << 4 | value
        }
        return unit
    }
}
