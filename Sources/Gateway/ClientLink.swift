internal import GatewayEvents
internal import MCPRouting
internal import NIOCore

/// One client as the gateway sees it: its channel, what is to be sent to it, and why it is not being read.
final class ClientLink {
    /// Why a client is not read at the moment; it is read when none of these holds.
    struct Pauses: OptionSet {
        let rawValue: UInt8
        /// It has 1 MiB of answers to take first.
        static let outbound = Pauses(rawValue: 1)
        /// Its upstream has 1 MiB of requests to take first.
        static let upstream = Pauses(rawValue: 2)
        /// One of its messages is being scanned on a worker.
        static let scanning = Pauses(rawValue: 4)
        /// The gateway is ending.
        static let shutdown = Pauses(rawValue: 8)
        /// It has sent more than its share of a turn, which is read first.
        static let share = Pauses(rawValue: 16)
    }

    private unowned let gateway: Gateway
    let id: SessionID
    let channel: any ClientChannel
    var reader: LineReader
    var outbox = Outbox()
    /// What ``outbox`` holds, for metrics.
    var measured = HeldMessages()
    var isDirty = false
    var lastActivity: UInt64
    var inputEnded = false
    /// What it may still have of this turn.
    var share = TurnShare()
    /// Whether it waits for the next turn to be read on.
    var isInLine = false
    /// Since when more than `max_message_bytes` wait for it.
    var overCapSince: UInt64?
    private(set) var pauses: Pauses = []

    init(_ gateway: Gateway, id: SessionID, channel: any ClientChannel, reader: LineReader, now: UInt64) {
        self.gateway = gateway
        self.id = id
        self.channel = channel
        self.reader = reader
        lastActivity = now
    }

    func pause(_ reason: Pauses, _ isPaused: Bool) {
        let before = pauses
        if isPaused { pauses.insert(reason) } else { pauses.remove(reason) }
        if before.isEmpty != pauses.isEmpty { channel.setReading(pauses.isEmpty) }
        // Nothing but this brings back what it had sent before the pause.
        if pauses == .share, before != pauses, reason != .share { gateway.getInLine(self) }
    }

    /// Whether what it has sent may be looked at: only its share of the turn, if anything, is in the way.
    var mayBeRead: Bool { pauses.subtracting(.share).isEmpty }
}
