public import JSONRPCWire
public import NIOCore

/// One stretch of a message, and what takes its place.
public struct Splice: Hashable, Sendable {
    /// The stretch, counted from the message's first byte; never empty.
    public let range: ByteRange
    /// What takes its place; empty to remove it.
    public let bytes: ByteBuffer

    /// Joins the two.
    public init(_ range: ByteRange, _ bytes: ByteBuffer) {
        self.range = range
        self.bytes = bytes
    }
}

/// What to change in one message: stretches that do not overlap, in any order.
///
/// The caller adds its own (the id, arguments that a policy rewrote) and applies all at once. None of the stretches that
/// this module gives touches an id, `params.arguments`, `params.name`, or a value that it does not name.
public struct Splices: Sendable {
    /// The changes, in no particular order.
    public private(set) var list: [Splice]

    /// No changes.
    public init() {
        list = []
    }

    init(_ splice: Splice) {
        list = [splice]
    }

    /// Puts bytes in the place of `range`, which must be present and not overlap any other.
    public mutating func replace(_ range: ByteRange, with bytes: ByteBuffer) {
        list.append(Splice(range, bytes))
    }

    /// Puts an id or token in the place of `range`, which must be present and not overlap any other.
    public mutating func replace(_ range: ByteRange, with lexeme: Lexeme) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(max(16, lexeme.byteCount))
        lexeme.write(to: &bytes)
        list.append(Splice(range, bytes))
    }

    /// Adds the changes of another, for the same message.
    public mutating func append(_ other: Splices) {
        list.append(contentsOf: other.list)
    }

    /// The changed message. Up to ``SplicedMessage/maxReplacementCount`` changes leave the rest as slices of `bytes`;
    /// beyond that the whole is copied once.
    ///
    /// `bytes` are those of the message that the ranges belong to.
    public func applied(to bytes: ByteBuffer) -> SplicedMessage {
        guard list.count > SplicedMessage.maxReplacementCount else {
            var message = SplicedMessage(bytes)
            for splice in list { message.replace(splice.range, withBytes: splice.bytes) }
            return message
        }
        var result = ByteBuffer()
        let added = list.reduce(0) { $0 + $1.bytes.readableBytes }
        result.reserveCapacity(bytes.readableBytes + added)
        var offset = 0
        for splice in list.sorted(by: { $0.range.lower < $1.range.lower }) {
            precondition(Int(splice.range.lower) >= offset, "replaced ranges must not overlap")
            result.write(ByteRange(offset, Int(splice.range.lower)), of: bytes)
            result.writeImmutableBuffer(splice.bytes)
            offset = Int(splice.range.upper)
        }
        result.write(ByteRange(offset, bytes.readableBytes), of: bytes)
        return SplicedMessage(result)
    }
}

extension Splices {
    /// Puts members, given without braces, before the others of the object in `range`.
    mutating func prepend(_ members: ByteBuffer, to range: ByteRange, of bytes: ByteBuffer) {
        let span = bytes.readableBytesSpan
        let first = JSONWalk.skipSpace(span, from: Int(range.lower) + 1)
        var text = ByteBuffer()
        text.reserveCapacity(members.readableBytes + 2)
        text.writeInteger(UInt8(ascii: "{"))
        text.writeImmutableBuffer(members)
        if JSONWalk.byte(span, first) != UInt8(ascii: "}") { text.writeInteger(UInt8(ascii: ",")) }
        replace(ByteRange(Int(range.lower), Int(range.lower) + 1), with: text)
    }

    /// Removes the members of one object that have these values. Only for members that the scanner records.
    mutating func remove(_ values: [ByteRange], of bytes: ByteBuffer) {
        let span = bytes.readableBytesSpan
        let sorted = values.filter { $0.isPresent }.sorted { $0.lower < $1.lower }
        var index = 0
        while index < sorted.count {
            var start = JSONWalk.memberStart(span, ofValueAt: Int(sorted[index].lower))
            var end = Int(sorted[index].upper)
            index += 1
            // Members that follow one another go as one, since they share a comma.
            while true {
                let comma = JSONWalk.skipSpace(span, from: end)
                guard JSONWalk.byte(span, comma) == UInt8(ascii: ",") else {
                    // The last of the object: the comma before it goes too, if any.
                    var before = start - 1
                    while before > 0, JSONWalk.isSpace(JSONWalk.byte(span, before)) { before -= 1 }
                    if JSONWalk.byte(span, before) == UInt8(ascii: ",") { start = before }
                    break
                }
                let next = JSONWalk.skipSpace(span, from: comma + 1)
                end = next
                guard index < sorted.count,
                    JSONWalk.memberStart(span, ofValueAt: Int(sorted[index].lower)) == next
                else { break }
                end = Int(sorted[index].upper)
                index += 1
            }
            replace(ByteRange(start, end), with: ByteBuffer())
        }
    }
}
