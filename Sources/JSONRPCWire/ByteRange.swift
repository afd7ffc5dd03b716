/// A half-open range of bytes inside one message, counted from the message's first byte.
///
/// 32 bits are enough because a message is capped far below 4 GiB. A range that was not found is ``absent``, a
/// sentinel rather than an `Optional`, so that a scan stays a flat value without reference counting.
public struct ByteRange: Hashable, Sendable {
    /// The first byte's offset.
    public var lower: UInt32
    /// The offset behind the last byte.
    public var upper: UInt32

    /// Makes a range from two offsets; `lower` must not exceed `upper`.
    @inlinable
    public init(_ lower: Int, _ upper: Int) {
        self.lower = UInt32(truncatingIfNeeded: lower)
        self.upper = UInt32(truncatingIfNeeded: upper)
    }

    /// Stands for "the message has no such member".
    @inlinable
    public static var absent: ByteRange { ByteRange(0, 0) }

    /// Whether the member was in the message. (No member can begin at offset 0: that is the opening brace.)
    @inlinable
    public var isPresent: Bool { upper != 0 }

    /// How many bytes the range spans.
    @inlinable
    public var count: Int { Int(upper) - Int(lower) }
}
