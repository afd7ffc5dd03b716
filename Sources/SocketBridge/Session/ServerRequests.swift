internal import JSONRPCWire

/// The daemon's requests to the client, and what becomes of answers that come when the connection is another one.
///
/// A new daemon counts its requests from 1 again. While an old request of the same id is unanswered, the new one goes to
/// the client under an id of our own, since nobody could tell the answers apart.
struct ServerRequests {
    /// What to do with an answer of the client.
    enum Answer: Equatable {
        case pass
        /// Pass it under the id that the daemon knows.
        case rename(Lexeme)
        /// It answers a request of a connection that is no more.
        case late
        /// It answers nothing that is known.
        case unknown
    }

    /// The ids of this connection, as the client knows them.
    private var open: [RequestID: Lexeme] = [:]
    private var openOrder = RecentIDs()
    /// From ours to the daemon's.
    private var originals: [RequestID: Lexeme] = [:]
    /// From the daemon's to ours.
    private var aliases: [RequestID: OwnID] = [:]
    private var stale = RecentIDs()

    /// Whether the client may still answer an older request of the same id.
    func mustRename(_ id: RequestID) -> Bool { stale.contains(id) }

    /// The daemon asked, and the client is asked under the same id.
    mutating func asked(_ id: RequestID, _ lexeme: Lexeme) {
        insert(id, lexeme)
    }

    /// The daemon asked, and the client is asked under an id of ours.
    mutating func asked(_ id: RequestID, _ lexeme: Lexeme, as own: OwnID) {
        insert(own.id, own.lexeme)
        originals[own.id] = lexeme
        aliases[id] = own
    }

    /// The client answered.
    mutating func answered(_ id: RequestID) -> Answer {
        if openOrder.remove(id) {
            open[id] = nil
            guard let original = originals.removeValue(forKey: id) else { return .pass }
            aliases = aliases.filter { $0.value.id != id }
            return .rename(original)
        }
        return stale.remove(id) ? .late : .unknown
    }

    /// The id that the client knows a request by which the daemon cancels, when it is another one.
    func alias(of id: RequestID) -> Lexeme? { aliases[id]?.lexeme }

    /// The connection is lost. Returns the unanswered ones, as the client knows them, oldest first.
    mutating func connectionLost() -> [Lexeme] {
        let unanswered = openOrder.all
        defer {
            open.removeAll()
            openOrder.removeAll()
            originals.removeAll()
            aliases.removeAll()
        }
        for id in unanswered { stale.insert(id) }
        return unanswered.compactMap { open[$0] }
    }

    private mutating func insert(_ id: RequestID, _ lexeme: Lexeme) {
        openOrder.insert(id)
        open[id] = lexeme
        guard open.count > BridgeLimits.serverRequests else { return }
        open = open.filter { openOrder.contains($0.key) }
        originals = originals.filter { openOrder.contains($0.key) }
        aliases = aliases.filter { openOrder.contains($0.value.id) }
    }
}
