/// What was refused to whom, so that a stranger who tries for hours fills no audit: the first refusal of a peer for a
/// reason is told at once, then one record per ten seconds counts the rest.
struct RefusalTable {
    private struct Key: Hashable {
        var peer: String
        var reason: String
    }

    private struct Count {
        /// The end of its ten seconds.
        var due: UInt64
        var untold: Int
    }

    /// One record to write.
    struct Report: Hashable {
        var peer: String
        var reason: String
        var count: Int
    }

    /// Monotonic nanoseconds between two records for one peer and reason.
    static let interval: UInt64 = 10_000_000_000
    /// More peers than this at once share one row.
    static let capacity = 1024

    private var counts: [Key: Count] = [:]

    /// Takes one refusal in; true when it is to be told at once.
    mutating func add(_ peer: String, _ reason: String, now: UInt64) -> Report? {
        var key = Key(peer: peer, reason: reason)
        if counts[key] == nil, counts.count >= Self.capacity { key.peer = "others" }
        guard counts[key] != nil else {
            counts[key] = Count(due: now + Self.interval, untold: 0)
            return Report(peer: key.peer, reason: reason, count: 1)
        }
        counts[key]?.untold += 1
        return nil
    }

    /// What has gathered for ten seconds; a peer that has given up is forgotten.
    mutating func due(at now: UInt64) -> [Report] {
        guard !counts.isEmpty else { return [] }
        var reports: [Report] = []
        for (key, count) in counts where count.due <= now {
            guard count.untold > 0 else {
                counts[key] = nil
                continue
            }
            reports.append(Report(peer: key.peer, reason: key.reason, count: count.untold))
            counts[key] = Count(due: now + Self.interval, untold: 0)
        }
        return reports.sorted { ($0.peer, $0.reason) < ($1.peer, $1.reason) }
    }
}
