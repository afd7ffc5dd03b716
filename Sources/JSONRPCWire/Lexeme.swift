public import NIOCore

/// An id or token as it stands on the wire, kept to be written back exactly as it was sent.
///
/// Up to 15 bytes (every id that clients commonly use) cost no allocation. Two lexemes are equal when their bytes
/// are; for ids that are equal in meaning see ``RequestID``.
public struct Lexeme: Hashable, Sendable {
    private let bytes: InlineBytes

    /// Copies the value in `range`; ``ByteRange/absent`` gives ``null``.
    public init(_ range: ByteRange, in bytes: ByteBuffer) {
        self = range.isPresent ? Lexeme(InlineBytes(range, of: bytes.readableBytesSpan)) : .null
    }

    /// The text of an integer.
    public init(integer: UInt64) {
        self.init(InlineBytes(integer))
    }

    private init(_ bytes: InlineBytes) {
        self.bytes = bytes
    }

    /// What an error carries that answers a message without a readable id.
    public static let null = Lexeme(InlineBytes(Array("null".utf8)))

    /// How many bytes ``write(to:)`` writes.
    public var byteCount: Int { bytes.count }

    /// Appends the value as it was sent.
    @inline(__always)
    public func write(to buffer: inout ByteBuffer) {
        bytes.write(to: &buffer)
    }

    @inline(__always)
    func write(to writer: inout PieceWriter) {
        bytes.write(to: &writer)
    }

    /// For logs and audit records: a string unescaped and without quotes (as sent where it is no Unicode text), any
    /// other value as sent.
    public var display: String {
        let array = bytes.array
        if array.first == UInt8(ascii: "\"") {
            var text: [UInt8] = []
            if Unescaping.append(ByteRange(1, array.count - 1), of: array.span.bytes, to: &text) {
                return String(decoding: text, as: UTF8.self)
            }
        }
        return String(decoding: array, as: UTF8.self)
    }
}
