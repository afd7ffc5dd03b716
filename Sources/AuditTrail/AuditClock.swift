import Glibc

/// Where the trail takes the time from: for its own records, and for deadlines. Tests give their own.
public struct AuditClock: Sendable {
    /// Nanoseconds since 1970-01-01 UTC.
    public var wall: @Sendable () -> Int64
    /// Nanoseconds of a clock that never jumps.
    public var monotonic: @Sendable () -> UInt64

    /// Joins the two clocks.
    public init(wall: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> UInt64) {
        self.wall = wall
        self.monotonic = monotonic
    }

    /// The system's clocks.
    public static let system = AuditClock(
        wall: { Int64(bitPattern: read(CLOCK_REALTIME)) }, monotonic: { read(CLOCK_MONOTONIC) })

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(bitPattern: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
