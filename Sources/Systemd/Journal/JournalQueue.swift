/// Serialised entries one behind the other, so that queueing one copies bytes and allocates nothing.
struct JournalQueue: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Where each entry ends in ``bytes``.
    private var ends: [Int] = []
    /// How many entries at the front are done with.
    private var done = 0

    /// What stays allocated once the queue is empty, in bytes.
    private static let retained = 256 * 1024

    /// Entries that are not done with.
    var count: Int { ends.count - done }
    var isEmpty: Bool { done == ends.count }
    /// The bytes of those entries.
    var byteCount: Int { bytes.count - start }

    private var start: Int { done == 0 ? 0 : ends[done - 1] }

    mutating func append(_ entry: borrowing JournalEntry) {
        bytes.append(contentsOf: entry.bytes)
        ends.append(bytes.count)
    }

    /// Where the first entry lies in ``bytes``; nil in an empty queue.
    var first: Range<Int>? {
        isEmpty ? nil : start..<ends[done]
    }

    /// The first entry is done with.
    mutating func removeFirst() {
        done += 1
        guard isEmpty else { return }
        done = 0
        ends.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.retained)
    }
}
