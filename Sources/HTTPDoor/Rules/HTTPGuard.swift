/// How often refusals before a session are recorded: the first of a peer and reason at once, then one record per 10 s
/// with a count, so that a stranger cannot fill the disk. Pure; the door tells it the time and records what it returns as
/// SECURITY_BLOCK of plugin `http_guard`.
struct HTTPGuard: Sendable {
    /// What to record.
    struct Record: Hashable, Sendable {
        /// The peer's address without its port; `*` for peers that were too many to be told apart.
        var peer: String
        /// ``HTTPRefusal/reason``; `*` beside peer `*`.
        var reason: String
        /// Of the latest refusal; untrusted.
        var detail: String?
        /// The refusals that this record stands for, at least 1.
        var count: Int
    }

    /// How long refusals are counted before they are recorded, in nanoseconds.
    static let window: UInt64 = 10_000_000_000
    /// Pairs of peer and reason that are told apart.
    static let capacity = 4096
    /// Records per window, of each of the two kinds: first ones, and those with a count. Addresses are cheap, of IPv6
    /// above all: beyond, refusals share one record.
    static let recordsPerWindow = 256

    private struct Key: Hashable {
        var peer: String
        var reason: String
    }

    private struct Entry {
        var detail: String?
        /// Refusals since the last record.
        var count = 0
        var began: UInt64
    }

    private var entries: [Key: Entry] = [:]
    /// The keys of ``entries`` by the begin of their windows, from ``oldest`` on.
    private var order: [Key] = []
    private var oldest = 0
    private var firsts = 0
    private var summaries = 0
    private var others = 0
    private var windowBegan: UInt64 = 0

    /// How many pairs are told apart at the moment.
    var count: Int { entries.count }

    /// A request was refused. `now` is monotonic, in nanoseconds, and never goes back.
    mutating func refused(peer: String, reason: String, detail: String?, now: UInt64) -> [Record] {
        var records = due(now: now)
        let key = Key(peer: peer, reason: reason)
        if entries[key] != nil {
            entries[key]?.count += 1
            entries[key]?.detail = detail
        } else if firsts == Self.recordsPerWindow {
            others += 1
        } else {
            firsts += 1
            if entries.count == Self.capacity, let record = removeOldest() { add(record, to: &records) }
            entries[key] = Entry(began: now)
            order.append(key)
            records.append(Record(peer: peer, reason: reason, detail: detail, count: 1))
        }
        return records
    }

    /// What has been counted for a whole window; the door asks every second or so.
    mutating func due(now: UInt64) -> [Record] {
        var records: [Record] = []
        if now - windowBegan >= Self.window {
            windowBegan = now
            firsts = 0
            summaries = 0
            records = takeOthers()
        }
        while oldest < order.count, let began = entries[order[oldest]]?.began, now - began >= Self.window {
            let key = order[oldest]
            guard let record = removeOldest() else { continue }
            add(record, to: &records)
            // It goes on being counted; a window without a refusal ends it.
            entries[key] = Entry(began: now)
            order.append(key)
        }
        return records
    }

    private mutating func add(_ record: Record, to records: inout [Record]) {
        guard summaries < Self.recordsPerWindow else {
            others += record.count
            return
        }
        summaries += 1
        records.append(record)
    }

    /// Everything that has been counted and not recorded: for the door's end.
    mutating func end() -> [Record] {
        var records: [Record] = []
        while oldest < order.count {
            if let record = removeOldest() { records.append(record) }
        }
        return records + takeOthers()
    }

    private mutating func takeOthers() -> [Record] {
        defer { others = 0 }
        return others == 0 ? [] : [Record(peer: "*", reason: "*", detail: nil, count: others)]
    }

    /// nil when nothing was counted since its last record.
    private mutating func removeOldest() -> Record? {
        let key = order[oldest]
        oldest += 1
        if oldest == Self.capacity {
            order.removeFirst(oldest)
            oldest = 0
        }
        guard let entry = entries.removeValue(forKey: key), entry.count > 0 else { return nil }
        return Record(peer: key.peer, reason: key.reason, detail: entry.detail, count: entry.count)
    }
}
