internal import Glibc
public import MCPRouting

/// Where the gateway's time comes from; tests hand in their own.
public struct GatewayClock: Sendable {
    /// Reads both clocks.
    public let now: @Sendable () -> Moment

    /// Wraps a source of time.
    public init(now: @escaping @Sendable () -> Moment) {
        self.now = now
    }

    /// CLOCK_MONOTONIC and CLOCK_REALTIME.
    public static let system = GatewayClock {
        var monotonic = timespec()
        var wall = timespec()
        clock_gettime(CLOCK_MONOTONIC, &monotonic)
        clock_gettime(CLOCK_REALTIME, &wall)
        return Moment(
            monotonic: UInt64(monotonic.tv_sec) * 1_000_000_000 + UInt64(monotonic.tv_nsec),
            wall: Int64(wall.tv_sec) * 1_000_000_000 + Int64(wall.tv_nsec))
    }
}
