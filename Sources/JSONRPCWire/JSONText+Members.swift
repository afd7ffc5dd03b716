public import NIOCore

extension JSONText {
    /// Visits the members of an object in their order; does nothing for any other kind.
    ///
    /// Deep objects may hold one name twice: it is then visited twice. A member whose name has a lone surrogate is
    /// left out, since no `String` can hold it.
    public static func forEachMember(
        of range: ByteRange, in bytes: ByteBuffer, _ body: (String, ByteRange) -> Void
    ) {
        guard kind(of: range, in: bytes) == .object else { return }
        forEachItem(of: range, in: bytes.readableBytesSpan) { key, value in
            if let name = string(key, in: bytes) { body(name, value) }
            return true
        }
    }

    /// Visits the elements of an array in their order; does nothing for any other kind.
    public static func forEachElement(of range: ByteRange, in bytes: ByteBuffer, _ body: (ByteRange) -> Void) {
        guard kind(of: range, in: bytes) == .array else { return }
        forEachItem(of: range, in: bytes.readableBytesSpan) { _, value in
            body(value)
            return true
        }
    }

    /// The value of the first member called `name`; ``ByteRange/absent`` when there is none or the value in `range`
    /// is no object.
    public static func member(_ name: String, of range: ByteRange, in bytes: ByteBuffer) -> ByteRange {
        guard kind(of: range, in: bytes) == .object else { return .absent }
        let wanted = Array(name.utf8)
        let span = bytes.readableBytesSpan
        var found = ByteRange.absent
        forEachItem(of: range, in: span) { key, value in
            // Compared as bytes: a String would also equal a canonically equivalent one.
            var text: [UInt8] = []
            guard Unescaping.append(key.insideQuotes, of: span, to: &text), text == wanted else { return true }
            found = value
            return false
        }
        return found
    }

    /// Visits keys (absent in an array) and values until `body` returns false.
    private static func forEachItem(
        of range: ByteRange, in bytes: RawSpan, _ body: (_ key: ByteRange, _ value: ByteRange) -> Bool
    ) {
        let isObject = bytes.byte(Int(range.lower)) == UInt8(ascii: "{")
        var offset = JSONSyntax.skipWhitespace(bytes, from: Int(range.lower) + 1)
        guard offset < Int(range.upper) - 1 else { return }
        do throws(SyntaxError) {
            while true {
                var key = ByteRange.absent
                if isObject {
                    key = ByteRange(offset, try JSONSyntax.string(bytes, at: offset).end)
                    offset = try JSONSyntax.colon(bytes, at: Int(key.upper))
                }
                // The scan has bounded the depth already.
                let end = try JSONSyntax.value(bytes, at: offset, depth: 1, limit: .max)
                guard body(key, ByteRange(offset, end)) else { return }
                offset = JSONSyntax.skipWhitespace(bytes, from: end)
                guard bytes.byteOrZero(offset) == UInt8(ascii: ",") else { return }
                offset = JSONSyntax.skipWhitespace(bytes, from: offset + 1)
            }
        } catch {
            preconditionFailure("the range was not scanned: \(error.problem.rawValue)")
        }
    }
}
