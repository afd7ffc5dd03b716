/// A session's place in the router. The generation makes an identifier of an ended session miss instead of reaching
/// whoever took its place.
public struct SessionID: Hashable, Sendable {
    /// Its place: small, and taken again after its end.
    public let index: Int
    let generation: UInt32

    init(index: Int, generation: UInt32) {
        self.index = index
        self.generation = generation
    }
}

/// One supervised upstream, through all of its restarts.
public struct UpstreamID: Hashable, Sendable {
    /// Its place: small, and taken again after its end.
    public let index: Int
    let generation: UInt32

    init(index: Int, generation: UInt32) {
        self.index = index
        self.generation = generation
    }
}

/// A request in flight. Its number is the request id, and the progress token, that the upstream sees: 20 bits of place
/// and 32 of generation, so it stays exact in JavaScript's 53-bit numbers.
public struct PendingID: Hashable, Sendable {
    let number: UInt64

    init(index: Int, generation: UInt32) {
        number = UInt64(generation) << 20 | UInt64(index)
    }

    /// Takes an id that came back from an upstream; any number is fine, a foreign one just finds nothing.
    init(number: UInt64) {
        self.number = number
    }

    var index: Int { Int(number & 0xF_FFFF) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: number >> 20) }

    /// How many requests can be in flight at once, in all.
    static let capacity = 1 << 20
}

/// A point in time, read once per turn by the gateway and handed in: routing has no clock of its own.
public struct Moment: Sendable {
    /// Monotonic nanoseconds.
    public var monotonic: UInt64
    /// Nanoseconds since 1970-01-01 UTC.
    public var wall: Int64

    /// Joins the two clocks' readings.
    public init(monotonic: UInt64, wall: Int64) {
        self.monotonic = monotonic
        self.wall = wall
    }
}

extension Double {
    /// Seconds, as configuration states them, in whole nanoseconds.
    var nanoseconds: UInt64 { UInt64(self * 1e9) }
}
