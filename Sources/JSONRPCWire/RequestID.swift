public import NIOCore

/// The id of a request as a key of a table, so that two spellings of one id meet.
///
/// Strings are equal when they are the same sequence of characters after unescaping, numbers when they have the same
/// exact decimal value (`1`, `1.0`, `1e0`, `10e-1`); a string never equals a number. To write an id back, keep its
/// ``Lexeme``.
public struct RequestID: Hashable, Sendable {
    /// The longest id that is taken, in bytes of its text as sent, quotes included.
    public static let maxByteCount = 1024

    private enum Value: Hashable, Sendable {
        case integer(Int64)
        case string(InlineBytes)
        case decimal(InlineBytes)
    }

    private static let maxExponentDigits = 4

    private let value: Value

    /// Reads the id in `range`.
    ///
    /// `nil` for anything but a string or a number, a string with a lone surrogate, a text longer than
    /// ``maxByteCount``, and a number whose exponent has more than four digits. For the id of a scanned request or
    /// result it is never `nil`.
    public init?(_ range: ByteRange, in bytes: ByteBuffer) {
        self.init(range, in: bytes.readableBytesSpan)
    }

    @inline(__always)
    init?(_ range: ByteRange, in bytes: RawSpan) {
        guard range.isPresent, range.count <= Self.maxByteCount else { return nil }
        switch bytes.byte(Int(range.lower)) {
        case UInt8(ascii: "\""):
            let content = range.insideQuotes
            guard bytes.hasBackslash(in: content) else {
                value = .string(InlineBytes(content, of: bytes))
                return
            }
            var text: [UInt8] = []
            guard Unescaping.append(content, of: bytes, to: &text) else { return nil }
            value = .string(InlineBytes(text))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            if let integer = JSONText.plainInteger(range, in: bytes) {
                value = .integer(integer)
                return
            }
            let decimal = ExactDecimal(range, of: bytes)
            guard decimal.exponentDigitCount <= Self.maxExponentDigits else { return nil }
            value = decimal.int64.map(Value.integer) ?? .decimal(InlineBytes(decimal.canonical))
        default: return nil
        }
    }

    private init(_ value: Value) {
        self.value = value
    }

    /// The id that a plain integer on the wire reads as.
    public static func integer(_ value: Int64) -> RequestID {
        RequestID(.integer(value))
    }

    /// The id's value, where it is an integer of 64 bits, however it was spelled.
    public var integerValue: Int64? {
        if case .integer(let integer) = value { integer } else { nil }
    }

    /// Whether the value in `range` can be read as an id.
    @inline(__always)
    static func isReadable(_ range: ByteRange, in bytes: RawSpan) -> Bool {
        JSONText.plainInteger(range, in: bytes) != nil || RequestID(range, in: bytes) != nil
    }
}
