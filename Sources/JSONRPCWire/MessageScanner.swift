public import NIOCore

/// Reads one line: checks that it is strict JSON and a message that every reader understands alike, and tells where
/// its members stand.
///
/// Strict means RFC 8259 with well-formed UTF-8, without byte order mark and with nothing behind the value. In the
/// message itself, `params`, `params._meta`, `result` and `error` no name may occur twice, and none may differ from a
/// name of the protocol by letter case only, since lenient decoders take either for the real one (DESIGN.md §3.1).
///
/// A value without state: any thread may use it. A single message costs no heap allocation.
public struct MessageScanner: Sendable {
    /// How many messages one batch may hold.
    public static let maxBatchCount = 64

    private let maxDepth: Int
    private let table = NameTable.shared

    /// Makes a scanner that refuses arrays and objects nested deeper than `maxDepth`, the message itself counting
    /// as one level.
    public init(maxDepth: Int) {
        precondition(maxDepth > 0, "max_depth must be at least 1, not \(maxDepth)")
        self.maxDepth = maxDepth
    }

    /// Scans one line, with or without its newline; JSON whitespace around the value is fine.
    ///
    /// All ranges count from `line.readerIndex`. A line holds less than 4 GiB.
    public func scan(_ line: ByteBuffer) -> ScanOutcome {
        let bytes = line.readableBytesSpan
        let start = JSONSyntax.skipWhitespace(bytes, from: 0)
        if bytes.byteOrZero(start) == UInt8(ascii: "{") { return message(bytes, at: start) }
        if bytes.byteOrZero(start) == UInt8(ascii: "[") { return batch(bytes, at: start) }
        return noMessage(bytes, at: start)
    }

    /// Scans one element of a batch, whose range ``scan(_:)`` gave for the same `line`.
    ///
    /// Ranges count from the element's first byte, that is, from the returned slice's `readerIndex`. An element that
    /// is itself an array is refused.
    public func scan(element: ByteRange, of line: ByteBuffer) -> (ScanOutcome, ByteBuffer) {
        guard let slice = line.slice(element) else {
            preconditionFailure("element \(element.lower)..<\(element.upper) is not in the line")
        }
        let bytes = slice.readableBytesSpan
        if bytes.byteOrZero(0) == UInt8(ascii: "{") { return (message(bytes, at: 0), slice) }
        return (noMessage(bytes, at: 0), slice)
    }

    /// Looks at the first bytes of an oversize message for what can be told of it: see ``Peek``.
    public func peek(_ head: ByteBuffer) -> Peek {
        Peek(head.readableBytesSpan)
    }
}

extension MessageScanner {
    @inline(__always)
    private func message(_ bytes: RawSpan, at open: Int) -> ScanOutcome {
        var scan = MessageScan()
        var envelope = EnvelopeScan(depthLimit: maxDepth)
        do throws(SyntaxError) {
            let end = try envelope.object(.envelope, of: bytes, at: open, depth: 1, into: &scan, table)
            try expectEnd(bytes, behind: end)
        } catch {
            return rejected(error, bytes)
        }
        let kind = envelope.decideKind(scan, bytes, at: open)
        if let violation = envelope.violation {
            return .rejected(envelope.rejection(for: violation, scan, bytes, table))
        }
        scan.kind = kind
        scan.length = bytes.byteCount
        return .message(scan)
    }

    @inline(never)
    private func batch(_ bytes: RawSpan, at open: Int) -> ScanOutcome {
        var elements: [ByteRange] = []
        var count = 0
        do throws(SyntaxError) {
            var offset = JSONSyntax.skipWhitespace(bytes, from: open + 1)
            if bytes.byteOrZero(offset) == UInt8(ascii: "]") {
                offset += 1
            } else {
                while true {
                    let start = offset
                    // The array around the messages is not a level of any of them.
                    offset = try JSONSyntax.value(bytes, at: start, depth: 1, limit: maxDepth)
                    count += 1
                    if count <= Self.maxBatchCount { elements.append(ByteRange(start, offset)) }
                    offset = JSONSyntax.skipWhitespace(bytes, from: offset)
                    let next = bytes.byteOrZero(offset)
                    offset += 1
                    if next == UInt8(ascii: "]") { break }
                    guard next == UInt8(ascii: ",") else {
                        throw SyntaxError(problem: .commaOrBracket, offset: offset - 1)
                    }
                    offset = JSONSyntax.skipWhitespace(bytes, from: offset)
                }
            }
            try expectEnd(bytes, behind: offset)
        } catch {
            return rejected(error, bytes)
        }
        if count == 0 { return invalid("a batch must not be empty", at: open) }
        guard count <= Self.maxBatchCount else {
            return invalid("a batch of \(count) messages is more than the \(Self.maxBatchCount) allowed", at: open)
        }
        return .batch(elements)
    }

    /// Answers a text that is no object, nor an array where one may be.
    @inline(never)
    private func noMessage(_ bytes: RawSpan, at start: Int) -> ScanOutcome {
        do throws(SyntaxError) {
            guard start < bytes.byteCount else { throw SyntaxError(problem: .empty, offset: start) }
            if bytes.partialWord(start, count: min(3, bytes.byteCount - start)) == 0xBFBBEF {
                throw SyntaxError(problem: .byteOrderMark, offset: start)
            }
            try expectEnd(bytes, behind: JSONSyntax.value(bytes, at: start, depth: 1, limit: maxDepth))
        } catch {
            return rejected(error, bytes)
        }
        return invalid("a message must be an object", at: start)
    }

    @inline(__always)
    private func expectEnd(_ bytes: RawSpan, behind end: Int) throws(SyntaxError) {
        let offset = JSONSyntax.skipWhitespace(bytes, from: end)
        guard offset == bytes.byteCount else { throw SyntaxError(problem: .trailing, offset: offset) }
    }

    @inline(never)
    private func rejected(_ error: SyntaxError, _ bytes: RawSpan) -> ScanOutcome {
        guard error.problem == .depth else {
            let reason = error.problem.rawValue
            return .rejected(
                Rejection(code: -32700, reason: reason, offset: error.offset, id: .absent, isResponse: false))
        }
        // Nobody can say whether the rest is JSON; but a call must not wait for an answer that was thrown away.
        let peek = Peek(bytes)
        return .rejected(
            Rejection(
                code: -32600, reason: "nested deeper than the \(maxDepth) levels that max_depth allows",
                offset: error.offset, id: peek.id, isResponse: peek.isResponse))
    }

    private func invalid(_ reason: String, at offset: Int) -> ScanOutcome {
        .rejected(Rejection(code: -32600, reason: reason, offset: offset, id: .absent, isResponse: false))
    }
}

extension ByteBuffer {
    /// The bytes of a range that counts from `readerIndex`, without a copy.
    @inline(__always)
    func slice(_ range: ByteRange) -> ByteBuffer? {
        getSlice(at: readerIndex + Int(range.lower), length: range.count)
    }
}
