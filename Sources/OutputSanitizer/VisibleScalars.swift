/// Which scalars a reader can see, or needs: the rule of stage `invisible`.
struct VisibleScalars: Sendable {
    /// The one table there is.
    static let shared = VisibleScalars()

    /// The scalar that looks like a space and becomes one.
    static let noBreakSpace: UInt32 = 0xA0

    /// One bit for each scalar below U+40000, set where it is invisible.
    private let bits: [UInt64]

    private init() {
        var bits = [UInt64](repeating: 0, count: Self.limit / 64)
        var first = 0
        var isInvisible = false
        for run in Self.runs {
            if isInvisible {
                for scalar in first..<first + Int(run) { bits[scalar >> 6] |= 1 << UInt64(scalar & 63) }
            }
            first += Int(run)
            isInvisible.toggle()
        }
        precondition(first == Self.limit, "the table of visible scalars ends at \(first)")
        self.bits = bits
    }

    /// Whether the scalar is deleted. A lone surrogate is no scalar, and stays.
    @inline(__always)
    func hides(_ scalar: UInt32) -> Bool {
        if scalar < Self.limit { return bits[Int(scalar &>> 6)] &>> UInt64(scalar & 63) & 1 != 0 }
        // All that is assigned beyond: the variation selectors supplement.
        return scalar &- 0xE0100 >= 240
    }

    /// Whether stage `invisible` leaves the scalar as it is.
    @inline(__always)
    func keeps(_ scalar: UInt32) -> Bool {
        !hides(scalar) && scalar != Self.noBreakSpace
    }

    private static let limit = 0x40000
}
