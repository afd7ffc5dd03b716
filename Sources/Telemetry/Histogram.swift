/// How often a time was how long, in buckets that never change. Recording allocates nothing.
struct Histogram: Hashable, Sendable {
    /// The largest time of each bucket, in nanoseconds, rising.
    let bounds: [UInt64]
    /// How many times fell into each bucket and into none below it; the last holds what is beyond all bounds.
    private(set) var counts: [UInt64]
    /// All times together, in nanoseconds.
    private(set) var sum: UInt64 = 0

    init(bounds: [UInt64]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// Records `nanoseconds`, for `times` at once.
    mutating func record(_ nanoseconds: UInt64, times: UInt64 = 1) {
        var index = 0
        while index < bounds.count, nanoseconds > bounds[index] { index += 1 }
        counts[index] += times
        // Wraps after 584 years of calls, and a clock that jumped must not end the process.
        sum &+= nanoseconds &* times
    }

    /// 10 ms to 5 minutes: what OpenTelemetry's MCP conventions advise for operations and sessions.
    static let conventional = Histogram(
        bounds: [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000]
            .map { $0 * 1_000_000 })

    /// 10 µs to 1 s: what a gateway may add. With the conventional buckets all of it would be in the first.
    static let held = Histogram(
        bounds: [
            10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 1_000_000,
        ].map { $0 * 1000 })
}
