public import NIOCore

/// Reading values out of a message that has been scanned, and writing strings.
///
/// All ranges count from the buffer's `readerIndex` and come from a scan of the same bytes, or from a function of
/// this type; other ranges give meaningless results or end the process, never memory outside the buffer. An absent
/// range reads as null. Nothing here is meant for the hot path except ``equals(_:_:in:)``.
public enum JSONText {
    /// Which kind of value stands in `range`.
    public static func kind(of range: ByteRange, in bytes: ByteBuffer) -> JSONKind {
        guard range.isPresent else { return .null }
        return switch bytes.readableBytesSpan.byte(Int(range.lower)) {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"): .true
        case UInt8(ascii: "f"): .false
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    /// The unescaped text of a string; `nil` for any other kind and for a string with a lone surrogate.
    public static func string(_ range: ByteRange, in bytes: ByteBuffer) -> String? {
        guard kind(of: range, in: bytes) == .string else { return nil }
        let span = bytes.readableBytesSpan
        let content = range.insideQuotes
        guard span.hasBackslash(in: content) else {
            return bytes.getString(at: bytes.readerIndex + Int(content.lower), length: content.count)
        }
        var text: [UInt8] = []
        text.reserveCapacity(content.count)
        return Unescaping.append(content, of: span, to: &text) ? String(decoding: text, as: UTF8.self) : nil
    }

    /// Whether the value is a string that reads `ascii` after unescaping.
    @inline(__always)
    public static func equals(_ range: ByteRange, _ ascii: StaticString, in bytes: ByteBuffer) -> Bool {
        equals(range, ascii, in: bytes.readableBytesSpan)
    }

    /// The value of a number that is an exact integer of 64 bits, also when spelled `1.0` or `1e2`; else `nil`.
    public static func integer(_ range: ByteRange, in bytes: ByteBuffer) -> Int? {
        guard kind(of: range, in: bytes) == .number else { return nil }
        let span = bytes.readableBytesSpan
        return (plainInteger(range, in: span) ?? ExactDecimal(range, of: span).int64).map { Int($0) }
    }

    /// The value of `true` or `false`; `nil` for any other kind.
    public static func bool(_ range: ByteRange, in bytes: ByteBuffer) -> Bool? {
        switch kind(of: range, in: bytes) {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// Appends `string` in quotes, with the escapes that RFC 8259 §7 demands and no others, so that the text has no
    /// line break.
    public static func appendQuoted(_ string: String, to buffer: inout ByteBuffer) {
        var string = string
        string.withUTF8 { text in
            buffer.reserveCapacity(minimumWritableBytes: text.count + 2)
            buffer.writeInteger(UInt8(ascii: "\""))
            var plain = text.startIndex
            for index in text.indices {
                let byte = text[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                buffer.writeBytes(text[plain..<index])
                plain = index + 1
                writeEscape(of: byte, to: &buffer)
            }
            buffer.writeBytes(text[plain...])
            buffer.writeInteger(UInt8(ascii: "\""))
        }
    }

    private static func writeEscape(of byte: UInt8, to buffer: inout ByteBuffer) {
        switch byte {
        case 0x08: buffer.writeStaticString("\\b")
        case 0x09: buffer.writeStaticString("\\t")
        case 0x0A: buffer.writeStaticString("\\n")
        case 0x0C: buffer.writeStaticString("\\f")
        case 0x0D: buffer.writeStaticString("\\r")
        case 0..<0x20:
            buffer.writeStaticString(byte < 0x10 ? "\\u000" : "\\u001")
            buffer.writeString(String(byte & 0xF, radix: 16))
        default:
            buffer.writeInteger(UInt8(ascii: "\\"))
            buffer.writeInteger(byte)
        }
    }
}

extension JSONText {
    static func equals(_ range: ByteRange, _ ascii: StaticString, in bytes: RawSpan) -> Bool {
        guard range.isPresent, bytes.byte(Int(range.lower)) == UInt8(ascii: "\"") else { return false }
        let content = range.insideQuotes
        // An escape makes a text longer, so one of equal length is equal as it stands or not at all.
        if content.count == ascii.utf8CodeUnitCount { return ascii.isEqual(to: bytes, at: Int(content.lower)) }
        // The longest spelling of an ASCII character is `\u0061`.
        guard content.count > ascii.utf8CodeUnitCount, content.count <= ascii.utf8CodeUnitCount * 6,
            bytes.hasBackslash(in: content)
        else { return false }
        var text: [UInt8] = []
        guard Unescaping.append(content, of: bytes, to: &text), text.count == ascii.utf8CodeUnitCount else {
            return false
        }
        return ascii.isEqual(to: text.span.bytes, at: 0)
    }

    /// The value of a number that is spelled with at most 18 digits and nothing but a sign; else `nil`.
    @inline(__always)
    static func plainInteger(_ range: ByteRange, in bytes: RawSpan) -> Int64? {
        guard range.isPresent, range.count <= 19 else { return nil }
        var offset = Int(range.lower)
        let isNegative = bytes.byte(offset) == UInt8(ascii: "-")
        if isNegative { offset &+= 1 }
        guard Int(range.upper) &- offset <= 18 else { return nil }
        var magnitude: Int64 = 0
        while offset < Int(range.upper) {
            let digit = bytes.byte(offset) &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            magnitude = magnitude &* 10 &+ Int64(digit)
            offset &+= 1
        }
        return isNegative ? 0 &- magnitude : magnitude
    }
}

extension StaticString {
    /// Whether `bytes` go on from `offset` with exactly this text.
    @inline(__always)
    fileprivate func isEqual(to bytes: RawSpan, at offset: Int) -> Bool {
        withUTF8Buffer { text in
            for index in text.indices where bytes.byte(offset &+ index) != text[index] { return false }
            return true
        }
    }
}
