internal import AuditTrail
internal import JSONRPCWire
internal import Logging
internal import MCPRouting

/// Room for sessions that need a process of their own, when all of `max_dedicated` are taken.
extension Gateway {
    /// After how long a client without any connection is taken for gone, in nanoseconds.
    private static var absence: UInt64 { 60_000_000_000 }

    /// Ends the session of a client that seems gone, for the one that asks for an `initialize` now. Clients over HTTP need
    /// not say that they go, and many do not; a server may end a session at any time, and a client that comes back opens a
    /// new one (2025-11-25, basic/transports, "Session Management"). Of several it is the one that was silent longest; of
    /// those whose stream has not ended, only one that was silent for a minute.
    func makeRoom(for message: Message, at now: Moment) {
        guard message.scan.kind == .request, JSONText.equals(message.scan[.method], "initialize", in: message.bytes)
        else { return }
        let gone = clients.values.filter { client in
            let silence = now.monotonic - min(client.lastActivity, now.monotonic)
            let isGone =
                switch client.channel.presence {
                case .present: false
                case .gone: true
                case .unknown: silence >= Self.absence
                }
            return isGone && router.holdsIdleProcess(client.id)
        }
        guard let longest = gone.min(by: { $0.lastActivity < $1.lastActivity }) else { return }
        logger.info("ended a session whose client seems gone: its place among max_dedicated is needed")
        router.end(longest.id, .displaced, at: now)
    }
}
