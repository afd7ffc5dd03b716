internal import JSONRPCWire
internal import NIOCore

/// Writes an object member by member.
struct ObjectText {
    private(set) var bytes = ByteBuffer()
    private var hasMembers = false

    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
        bytes.writeInteger(UInt8(ascii: "{"))
    }

    /// Whether nothing has been written yet.
    var isEmpty: Bool { !hasMembers }

    private mutating func separate() {
        if hasMembers { bytes.writeInteger(UInt8(ascii: ",")) }
        hasMembers = true
    }

    /// Begins a member: its name and colon. `name` needs no escapes.
    mutating func name(_ name: StaticString) {
        separate()
        bytes.writeInteger(UInt8(ascii: "\""))
        bytes.writeStaticString(name)
        bytes.writeStaticString("\":")
    }

    /// A member whose name needs no escapes, and whose value is JSON.
    mutating func member(_ name: StaticString, json: ByteBuffer) {
        self.name(name)
        bytes.writeImmutableBuffer(json)
    }

    mutating func member(_ name: StaticString, json: StaticString) {
        self.name(name)
        bytes.writeStaticString(json)
    }

    mutating func member(_ name: StaticString, string: String) {
        self.name(name)
        JSONText.appendQuoted(string, to: &bytes)
    }

    mutating func member(_ name: StaticString, lexeme: Lexeme) {
        self.name(name)
        lexeme.write(to: &bytes)
    }

    /// A member whose name is JSON already.
    mutating func member(quotedName: ByteBuffer, json: ByteBuffer) {
        separate()
        bytes.writeImmutableBuffer(quotedName)
        bytes.writeInteger(UInt8(ascii: ":"))
        bytes.writeImmutableBuffer(json)
    }

    /// One or more members as they stand, without braces; nothing for none.
    mutating func members(_ text: ByteBuffer) {
        guard text.readableBytes > 0 else { return }
        separate()
        bytes.writeImmutableBuffer(text)
    }

    /// The value of a member begun with ``name(_:)``, which `body` writes.
    mutating func write(_ body: (inout ByteBuffer) -> Void) {
        body(&bytes)
    }

    /// What becomes of a member that is copied.
    enum Treatment {
        case keep
        case drop
        case replace(ByteBuffer)
        case replaceLexeme(Lexeme)
    }

    /// Copies the members of the object in `range`, each from its name to the end of its value as it stands.
    mutating func copy(
        _ range: ByteRange, of source: ByteBuffer, _ treatment: (_ key: ByteRange, _ value: ByteRange) -> Treatment
    ) {
        let span = source.readableBytesSpan
        var items = ItemCursor(range, in: span)
        while let (key, value) = items.next(span) {
            switch treatment(key, value) {
            case .drop: break
            case .keep:
                separate()
                bytes.write(ByteRange(Int(key.lower), Int(value.upper)), of: source)
            case .replace(let json):
                separate()
                bytes.write(ByteRange(Int(key.lower), Int(value.lower)), of: source)
                bytes.writeImmutableBuffer(json)
            case .replaceLexeme(let lexeme):
                separate()
                bytes.write(ByteRange(Int(key.lower), Int(value.lower)), of: source)
                lexeme.write(to: &bytes)
            }
        }
    }

    /// The whole object.
    consuming func finished() -> ByteBuffer {
        bytes.writeInteger(UInt8(ascii: "}"))
        return bytes
    }
}

extension ByteBuffer {
    /// Appends a stretch of another buffer, counted from its `readerIndex`; nothing where there is no such stretch.
    mutating func write(_ range: ByteRange, of source: ByteBuffer) {
        source.withUnsafeReadableBytes { bytes in
            guard range.lower <= range.upper, Int(range.upper) <= bytes.count else { return }
            _ = writeBytes(UnsafeRawBufferPointer(rebasing: bytes[Int(range.lower)..<Int(range.upper)]))
        }
    }

    /// A stretch of this buffer without a copy, counted from `readerIndex`; empty where there is none.
    func piece(_ range: ByteRange) -> ByteBuffer {
        getSlice(at: readerIndex + Int(range.lower), length: range.count) ?? ByteBuffer()
    }

    /// Everything readable, as a range.
    var whole: ByteRange { ByteRange(0, readableBytes) }
}
