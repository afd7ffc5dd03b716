internal import JSONRPCWire
internal import NIOCore

/// Whether two texts are the same JSON value, however each was written: white space, the order of members and the spelling
/// of strings do not count. Numbers are compared as written.
///
/// Good within one process only, whose random seed it uses; nobody outside can find two values with one digest by trial.
struct ArgumentsDigest {
    /// Longer values are compared byte by byte: whoever repeats so much sends the same text again.
    static let maxLength = 64 * 1024

    private let bytes: ByteBuffer

    /// Of a value that the scanner has found to be JSON; 0 for an absent one.
    static func of(_ range: ByteRange, in bytes: ByteBuffer) -> Int {
        guard range.isPresent else { return 0 }
        let digest = ArgumentsDigest(bytes: bytes)
        guard range.count <= maxLength else { return digest.raw(range) }
        return digest.value(at: Int(range.lower)).digest
    }

    /// The depth is that of the scanner's cap at most.
    private func value(at start: Int) -> (digest: Int, end: Int) {
        let span = bytes.readableBytesSpan
        var hasher = Hasher()
        switch JSONWalk.byte(span, start) {
        case UInt8(ascii: "{"):
            var items = ItemCursor(at: start, in: span)
            var sum = 0
            while let (key, offset) = items.nextKey(span) {
                let (digest, end) = value(at: offset)
                var member = Hasher()
                member.combine(text(key))
                member.combine(digest)
                // Whatever their order.
                sum &+= member.finalize()
                items.leaveValue(at: end, span)
            }
            hasher.combine(1)
            hasher.combine(sum)
            return (hasher.finalize(), items.end)
        case UInt8(ascii: "["):
            var items = ItemCursor(at: start, in: span)
            hasher.combine(2)
            while let (_, offset) = items.nextKey(span) {
                let (digest, end) = value(at: offset)
                hasher.combine(digest)
                items.leaveValue(at: end, span)
            }
            return (hasher.finalize(), items.end)
        case UInt8(ascii: "\""):
            let range = ByteRange(start, JSONWalk.stringEnd(span, at: start))
            hasher.combine(3)
            hasher.combine(text(range))
            return (hasher.finalize(), Int(range.upper))
        default:
            let range = ByteRange(start, JSONWalk.valueEnd(span, at: start))
            return (raw(range), Int(range.upper))
        }
    }

    /// A string's content; with a lone surrogate, which has none, its spelling.
    private func text(_ range: ByteRange) -> Int {
        guard let string = JSONText.string(range, in: bytes) else { return raw(range) }
        // By bytes: canonically equivalent strings are others.
        var hasher = Hasher()
        for byte in string.utf8 { hasher.combine(byte) }
        return hasher.finalize()
    }

    private func raw(_ range: ByteRange) -> Int {
        var hasher = Hasher()
        bytes.withUnsafeReadableBytes {
            hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[Int(range.lower)..<Int(range.upper)]))
        }
        return hasher.finalize()
    }
}
