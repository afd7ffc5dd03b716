/// What the first bytes of a message tell that is too long to be read as a whole.
///
/// A best effort: nothing behind these bytes was looked at, and of the values only those that are reported were
/// checked. Good for answering the message, never for letting it pass.
public struct Peek: Hashable, Sendable {
    /// The id, where one that can be answered lies completely in the head and only one was seen; else
    /// ``ByteRange/absent``.
    public private(set) var id = ByteRange.absent
    /// Whether there is a member `method`.
    public private(set) var hasMethod = false
    /// The method, where it is a string that lies completely in the head; else ``ByteRange/absent``.
    public private(set) var method = ByteRange.absent
    /// Whether there is a member `result` or `error`, and no `method`.
    public var isResponse: Bool { hasOutcome && !hasMethod }

    private var hasOutcome = false
    private var idCount = 0

    /// Reads the members of the object that begins in `bytes`, up to the first that is cut off or malformed.
    init(_ bytes: RawSpan) {
        let open = JSONSyntax.skipWhitespace(bytes, from: 0)
        guard bytes.byteOrZero(open) == UInt8(ascii: "{") else { return }
        do throws(SyntaxError) {
            var offset = JSONSyntax.skipWhitespace(bytes, from: open + 1)
            while bytes.byteOrZero(offset) == UInt8(ascii: "\"") {
                let key = ByteRange(offset, try JSONSyntax.string(bytes, at: offset).end)
                let start = try JSONSyntax.colon(bytes, at: Int(key.upper))
                let name = Self.name(key, in: bytes)
                note(name)
                let end = try Self.skipValue(bytes, at: start)
                offset = JSONSyntax.skipWhitespace(bytes, from: end)
                let next = bytes.byteOrZero(offset)
                // Without what follows, a number could be cut off in its middle.
                guard next == UInt8(ascii: ",") || next == UInt8(ascii: "}") else { break }
                record(ByteRange(start, end), as: name, in: bytes)
                guard next == UInt8(ascii: ",") else { break }
                offset = JSONSyntax.skipWhitespace(bytes, from: offset + 1)
            }
        } catch {
            // The head ends here, or is no JSON from here on: what was seen until now is all there is to tell.
        }
        if idCount > 1 { id = .absent }
    }

    private enum Name { case id, method, outcome, other }

    private static func name(_ key: ByteRange, in bytes: RawSpan) -> Name {
        if JSONText.equals(key, "id", in: bytes) { return .id }
        if JSONText.equals(key, "method", in: bytes) { return .method }
        let isOutcome = JSONText.equals(key, "result", in: bytes) || JSONText.equals(key, "error", in: bytes)
        return isOutcome ? .outcome : .other
    }

    private mutating func note(_ name: Name) {
        switch name {
        case .id: idCount += 1
        case .method: hasMethod = true
        case .outcome: hasOutcome = true
        case .other: break
        }
    }

    private mutating func record(_ value: ByteRange, as name: Name, in bytes: RawSpan) {
        switch name {
        case .id where RequestID.isReadable(value, in: bytes): id = value
        case .method where bytes.byte(Int(value.lower)) == UInt8(ascii: "\""): method = value
        default: break
        }
    }

    /// Skips a value of any depth by counting brackets; only scalars and strings are checked.
    private static func skipValue(_ bytes: RawSpan, at start: Int) throws(SyntaxError) -> Int {
        var offset = start
        var depth = 0
        repeat {
            switch bytes.byteOrZero(offset) {
            case UInt8(ascii: "\""): offset = try JSONSyntax.string(bytes, at: offset).end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                offset += 1
            case UInt8(ascii: "}") where depth > 0, UInt8(ascii: "]") where depth > 0:
                depth -= 1
                offset += 1
            case UInt8(ascii: ",") where depth > 0, UInt8(ascii: ":") where depth > 0:
                offset += 1
            case let byte where JSONSyntax.isWhitespace(byte) && depth > 0: offset += 1
            default: offset = try JSONSyntax.scalar(bytes, at: offset)
            }
        } while depth > 0
        return offset
    }
}
