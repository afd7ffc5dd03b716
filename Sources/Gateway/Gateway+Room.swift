internal import JSONRPCWire
internal import Logging
internal import MCPRouting

/// Room for sessions that need a process of their own, when all of `max_dedicated` are taken.
extension Gateway {
    /// How long a client may take to open its stream again before it is taken for gone, in nanoseconds.
    private static var reconnection: UInt64 { 2_000_000_000 }
    /// The same for one that never had a stream, and may be thinking.
    private static var absence: UInt64 { 60_000_000_000 }

    /// Ends the session of a client that seems gone, for one that now asks for a process. Clients over HTTP need not say
    /// that they go, and many do not; a server may end a session at any time, and a client that comes back opens a new one
    /// (2025-11-25, basic/transports, "Session Management"). Of several it is the one that was silent longest.
    func makeRoom(for message: Message, of newcomer: SessionID, at now: Moment) {
        guard router.wantsProcess(message, for: newcomer) else { return }
        let gone = clients.values.filter { client in
            let silence = now.monotonic - min(client.lastActivity, now.monotonic)
            let isGone =
                switch client.channel.presence {
                case .present: false
                case .gone: silence >= Self.reconnection
                case .unknown: silence >= Self.absence
                }
            return isGone && router.holdsIdleProcess(client.id)
        }
        // After a reload to fewer places one may not be enough; ending some in vain helps nobody.
        let needed = router.missingPlaces
        guard gone.count >= needed else { return }
        for client in gone.sorted(by: { $0.lastActivity < $1.lastActivity }).prefix(needed) {
            logger.info("ended a session whose client seems gone: its place among max_dedicated is needed")
            router.end(client.id, .displaced, at: now)
        }
    }
}
