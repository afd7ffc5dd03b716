internal import GatewayEvents

/// How many sessions began, and how long those that ended lasted, by transport.
struct SessionTable {
    /// In the order in which they are printed. `network.transport` of OpenTelemetry knows no `stdio` and no `http`.
    static let transports = ["pipe", "unix", "tcp"]

    private(set) var begun: [UInt64] = [0, 0, 0]
    private(set) var ended = [Histogram](repeating: .conventional, count: 3)
    /// When each session began, by id. As many as there are sessions, which `max_sessions` bounds.
    private var starts: [String: Int64] = [:]

    /// `time` in nanoseconds since 1970.
    mutating func begin(_ session: SessionIdentity?, at time: Int64) {
        guard let session, let id = session.sessionID else { return }
        begun[Self.index(session)] += 1
        starts[id] = time
    }

    mutating func end(_ session: SessionIdentity?, at time: Int64) {
        // Sessions that began before anything was counted are not counted at their end either.
        guard let session, let id = session.sessionID, let start = starts.removeValue(forKey: id) else { return }
        // The wall's clock may have been set back meanwhile.
        ended[Self.index(session)].record(UInt64(max(0, time - start)))
    }

    private static func index(_ session: SessionIdentity) -> Int {
        switch session.transport {
        case "stdio": 0
        case "unix": 1
        default: 2
        }
    }
}

/// What policies refused, by policy: their names are ours, and few.
struct PolicyTable {
    private(set) var counts: [(name: String, count: UInt64)] = []

    mutating func record(_ name: String) {
        if let index = counts.firstIndex(where: { $0.name == name }) {
            counts[index].count += 1
        } else {
            counts.append((name, 1))
        }
    }
}
