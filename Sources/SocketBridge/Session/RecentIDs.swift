internal import JSONRPCWire

/// A set of ids that forgets its oldest rather than grow beyond its cap.
struct RecentIDs {
    private var ids: Set<RequestID> = []
    private var order: [RequestID] = []

    /// Oldest first.
    var all: [RequestID] { order }

    func contains(_ id: RequestID) -> Bool { ids.contains(id) }

    mutating func insert(_ id: RequestID) {
        guard ids.insert(id).inserted else { return }
        order.append(id)
        if order.count > BridgeLimits.serverRequests { ids.remove(order.removeFirst()) }
    }

    /// Whether it was there.
    mutating func remove(_ id: RequestID) -> Bool {
        guard ids.remove(id) != nil else { return false }
        order.removeAll { $0 == id }
        return true
    }

    mutating func removeAll() {
        ids.removeAll()
        order.removeAll()
    }
}
