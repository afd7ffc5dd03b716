public import NIOCore

/// One outgoing message: the bytes it arrived in, with up to three values replaced.
///
/// Nothing is copied until it is written; a large result leaves as slices of the buffer it came in. No newline is
/// added.
public struct SplicedMessage: Sendable {
    /// How many values can be replaced.
    public static let maxReplacementCount = 3

    private enum Replacement: Sendable {
        case lexeme(Lexeme)
        case bytes(ByteBuffer)

        var count: Int {
            switch self {
            case .lexeme(let lexeme): lexeme.byteCount
            case .bytes(let bytes): bytes.readableBytes
            }
        }

        @inline(__always)
        func write(to writer: inout PieceWriter) {
            switch self {
            case .lexeme(let lexeme): lexeme.write(to: &writer)
            case .bytes(let bytes): bytes.withUnsafeReadableBytes { writer.append($0) }
            }
        }
    }

    private struct Edit: Sendable {
        var range: ByteRange
        var replacement: Replacement
    }

    private let source: ByteBuffer
    // In the order of their ranges; three fields rather than an array, which would be an allocation per message.
    private var first: Edit?
    private var second: Edit?
    private var third: Edit?

    /// How many bytes the message has with all replacements.
    public private(set) var byteCount: Int

    /// The message as it stands in `bytes`.
    public init(_ bytes: ByteBuffer) {
        source = bytes
        byteCount = bytes.readableBytes
    }

    /// Puts a lexeme in the place of the value in `range`.
    ///
    /// Ranges count from the `readerIndex` of the bytes given to ``init(_:)`` and must be present. They may be replaced
    /// in any order, but must not overlap and not be more than ``maxReplacementCount``.
    public mutating func replace(_ range: ByteRange, with lexeme: Lexeme) {
        insert(Edit(range: range, replacement: .lexeme(lexeme)))
    }

    /// Puts an integer in the place of the value in `range`; see ``replace(_:with:)``.
    public mutating func replace(_ range: ByteRange, withInteger integer: UInt64) {
        insert(Edit(range: range, replacement: .lexeme(Lexeme(integer: integer))))
    }

    /// Puts the readable bytes of `bytes` in the place of the value in `range`; see ``replace(_:with:)``.
    public mutating func replace(_ range: ByteRange, withBytes bytes: ByteBuffer) {
        insert(Edit(range: range, replacement: .bytes(bytes)))
    }

    /// Appends the whole message; for small ones.
    public func write(to buffer: inout ByteBuffer) {
        source.withUnsafeReadableBytes { bytes in
            _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount + Self.slack) { room in
                var writer = PieceWriter(room)
                var offset = 0
                // Slicing checks each range against the source.
                write(first, bytes, &offset, to: &writer)
                write(second, bytes, &offset, to: &writer)
                write(third, bytes, &offset, to: &writer)
                writer.append(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
                return writer.count
            }
        }
    }

    /// Hands out the message piece by piece, each but the replacements a slice of the original; for large ones.
    public func forEachPiece(_ body: (ByteBuffer) -> Void) {
        var offset = 0
        for edit in [first, second, third] {
            guard let edit else { break }
            forward(from: offset, to: Int(edit.range.lower), body)
            switch edit.replacement {
            case .lexeme(let lexeme):
                var piece = ByteBuffer()
                lexeme.write(to: &piece)
                body(piece)
            case .bytes(let bytes):
                if bytes.readableBytes > 0 { body(bytes) }
            }
            offset = Int(edit.range.upper)
        }
        forward(from: offset, to: source.readableBytes, body)
    }

    /// The message in one buffer: the original itself where nothing is replaced, else a copy.
    public func rendered() -> ByteBuffer {
        guard first != nil else { return source }
        var buffer = ByteBuffer()
        write(to: &buffer)
        return buffer
    }

    /// A lexeme is written in steps of 16 bytes, whatever its length.
    private static let slack = 16

    @inline(__always)
    private func write(
        _ edit: Edit?, _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, to writer: inout PieceWriter
    ) {
        guard let edit else { return }
        writer.append(UnsafeRawBufferPointer(rebasing: bytes[offset..<Int(edit.range.lower)]))
        edit.replacement.write(to: &writer)
        offset = Int(edit.range.upper)
    }

    private func forward(from start: Int, to end: Int, _ body: (ByteBuffer) -> Void) {
        guard end > start, let piece = source.slice(ByteRange(start, end)) else { return }
        body(piece)
    }

    private mutating func insert(_ edit: Edit) {
        precondition(third == nil, "a message takes \(Self.maxReplacementCount) replacements at most")
        precondition(
            edit.range.isPresent && edit.range.lower < edit.range.upper
                && Int(edit.range.upper) <= source.readableBytes, "a replaced range must be in the message")
        byteCount += edit.replacement.count - edit.range.count
        if let second, second.range.lower < edit.range.lower {
            third = edit
        } else if let first, first.range.lower < edit.range.lower {
            third = second
            second = edit
        } else {
            third = second
            second = first
            first = edit
        }
        precondition(
            isOrdered(first, second) && isOrdered(second, third), "replaced ranges must not overlap")
    }

    private func isOrdered(_ left: Edit?, _ right: Edit?) -> Bool {
        guard let left, let right else { return true }
        return left.range.upper <= right.range.lower
    }
}
