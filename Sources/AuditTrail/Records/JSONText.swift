import Glibc

/// Text as the content of a JSON string that is safe to show anywhere: RFC 8259, and beyond it no character that a
/// terminal, a line splitter or a reader's eye could take for something else.
///
/// Escaped are `"`, `\`, C0, DEL, C1 (with U+0085), U+2028, U+2029 and the bidirectional controls of Unicode's UAX #9.
/// Confirmation tokens keep their nonce only; see ``ConfirmationToken``.
enum JSONText {
    /// Stands where text was cut. 9 bytes.
    static let cutMark: StaticString = "… [cut]"

    /// Appends `text` with its quotes. The content takes at most `limit` bytes as printed, the mark included.
    @inline(__always)
    static func append(_ text: String, limit: Int, to out: LineBuffer) {
        let done: Void? = text.utf8.withContiguousStorageIfAvailable { append($0, limit: limit, to: out) }
        if done == nil { append(Array(text.utf8), limit: limit, to: out) }
    }

    static func append(_ bytes: [UInt8], limit: Int, to out: LineBuffer) {
        bytes.withUnsafeBufferPointer { append($0, limit: limit, to: out) }
    }

    /// As above, for bytes that should be UTF-8; what is not becomes U+FFFD.
    @inline(__always)
    static func append(_ bytes: UnsafeBufferPointer<UInt8>, limit: Int, to out: LineBuffer) {
        out.append(UInt8(ascii: "\""))
        if bytes.count < ConfirmationToken.shortest, bytes.count <= limit, isPlain(bytes) {
            out.append(bytes)
        } else if let stripped = ConfirmationToken.strip(bytes) {
            stripped.withUnsafeBufferPointer { appendCutting($0, limit: limit, to: out) }
        } else {
            appendCutting(bytes, limit: limit, to: out)
        }
        out.append(UInt8(ascii: "\""))
    }

    /// Appends `text` without quotes, for a place that something else delimits: the escapes are the same, except that
    /// `"` stands for itself. At most `limit` bytes as printed.
    static func appendFree(_ text: String, limit: Int, to out: LineBuffer) {
        var text = text
        text.withUTF8 { appendFree($0, limit: limit, to: out) }
    }

    /// As above, for bytes that should be UTF-8.
    static func appendFree(_ bytes: UnsafeBufferPointer<UInt8>, limit: Int, to out: LineBuffer) {
        if bytes.count < ConfirmationToken.shortest, bytes.count <= limit, isPlain(bytes) {
            out.append(bytes)
        } else if let stripped = ConfirmationToken.strip(bytes) {
            stripped.withUnsafeBufferPointer { appendCutting($0, limit: limit, isQuoted: false, to: out) }
        } else {
            appendCutting(bytes, limit: limit, isQuoted: false, to: out)
        }
    }

    /// Appends `text` as one word: bare when it is visible ASCII that can not be taken for anything else, else with
    /// quotes and escapes. Text that begins with a bracket or brace is quoted, since arrays and objects stand bare.
    @inline(__always)
    static func appendWord(_ text: String, limit: Int, to out: LineBuffer) {
        let done: Bool? = text.utf8.withContiguousStorageIfAvailable { bytes in
            guard let first = bytes.first, first != UInt8(ascii: "{"), first != UInt8(ascii: "["),
                bytes.count < ConfirmationToken.shortest, bytes.count <= limit, isPlain(bytes),
                !bytes.contains(0x20)
            else { return false }
            out.append(bytes)
            return true
        }
        if done != true { append(text, limit: limit, to: out) }
    }

    /// Whether every byte is printable ASCII other than `"` and `\`, eight at a time.
    @inline(__always)
    static func isPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var at = 0
        while at + 8 <= bytes.count {
            let word = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            let delete = word ^ (ones &* 0x7F)
            // The classic test for a zero byte, of three words, and for a byte below 0x20.
            let found =
                ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((delete &- ones) & ~delete)
                | (word &- ones &* 0x20) | word
            if found & highs != 0 { return false }
            at += 8
        }
        while at < bytes.count {
            let byte = base[at]
            if byte < 0x20 || byte >= 0x7F || byte == 0x22 || byte == 0x5C { return false }
            at += 1
        }
        return true
    }

    private static func appendCutting(
        _ bytes: UnsafeBufferPointer<UInt8>, limit: Int, isQuoted: Bool = true, to out: LineBuffer
    ) {
        let start = out.count
        let longest = start + max(0, limit - cutMark.utf8CodeUnitCount)
        var lastFitting = start
        var at = 0
        while at < bytes.count {
            if out.count <= longest { lastFitting = out.count }
            appendScalar(bytes, &at, isQuoted: isQuoted, to: out)
            if out.count - start > limit {
                out.truncate(to: lastFitting)
                out.append(cutMark)
                return
            }
        }
    }

    /// Appends the content of a JSON string without limit and without looking for tokens.
    static func appendContent(_ bytes: UnsafeBufferPointer<UInt8>, to out: LineBuffer) {
        if isPlain(bytes) { return out.append(bytes) }
        var at = 0
        while at < bytes.count { appendScalar(bytes, &at, to: out) }
    }

    @inline(__always)
    private static func appendScalar(
        _ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int, isQuoted: Bool = true, to out: LineBuffer
    ) {
        let byte = bytes[at]
        if byte < 0x80 {
            at += 1
            switch byte {
            case 0x22: isQuoted ? out.append(#"\""#) : out.append(byte)
            case 0x5C: out.append(#"\\"#)
            case 0x0A: out.append(#"\n"#)
            case 0x0D: out.append(#"\r"#)
            case 0x09: out.append(#"\t"#)
            case 0x00...0x1F, 0x7F: appendEscape(UInt32(byte), to: out)
            default: out.append(byte)
            }
            return
        }
        guard let (scalar, length) = UTF8Scalar.decode(bytes, at: at) else {
            out.append("\u{FFFD}")
            at += 1
            return
        }
        if mustBeEscaped(scalar) {
            appendEscape(scalar, to: out)
        } else {
            out.append(UnsafeBufferPointer(rebasing: bytes[at..<at + length]))
        }
        at += length
    }

    /// Beyond ASCII. All of these are in the Basic Multilingual Plane, so that one escape is enough.
    private static func mustBeEscaped(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x80...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private static func appendEscape(_ scalar: UInt32, to out: LineBuffer) {
        out.append(#"\u"#)
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(truncatingIfNeeded: (scalar >> shift) & 0xF)
            out.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
    }
}

/// One character of UTF-8, strictly as RFC 3629 has it.
enum UTF8Scalar {
    /// The scalar that begins at `at` and how many bytes it takes; nil when the bytes are not UTF-8.
    static func decode(_ bytes: UnsafeBufferPointer<UInt8>, at: Int) -> (scalar: UInt32, length: Int)? {
        let first = UInt32(bytes[at])
        let length: Int
        var scalar: UInt32
        switch first {
        case 0x00...0x7F: return (first, 1)
        case 0xC2...0xDF: (length, scalar) = (2, first & 0x1F)
        case 0xE0...0xEF: (length, scalar) = (3, first & 0x0F)
        case 0xF0...0xF4: (length, scalar) = (4, first & 0x07)
        default: return nil
        }
        guard at + length <= bytes.count else { return nil }
        for offset in 1..<length {
            let next = UInt32(bytes[at + offset])
            guard next & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | next & 0x3F
        }
        let smallest: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x1_0000
        guard scalar >= smallest, scalar <= 0x10_FFFF, !(0xD800...0xDFFF).contains(scalar) else { return nil }
        return (scalar, length)
    }

    /// Appends `scalar`, or U+FFFD where it is a lone surrogate.
    static func encode(_ scalar: UInt32, into out: inout [UInt8]) {
        // U+FFFD is a scalar by definition.
        let valid = Unicode.Scalar(scalar) ?? "\u{FFFD}"
        out.append(contentsOf: UTF8.encode(valid)!)  // Every scalar has UTF-8.
    }
}
