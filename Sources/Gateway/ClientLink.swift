internal import GatewayEvents
internal import MCPRouting
internal import NIOCore

/// One message of an exchange, or its end.
enum Parcel {
    case message(ByteBuffer, Exchange)
    case end(Exchange)
}

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
    /// The same channel where it keeps exchanges apart; nil on a line door.
    let exchanges: (any ExchangeChannel)?
    /// What such a channel is to be handed at the end of the turn.
    var parcels: [Parcel] = []
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
        exchanges = channel as? any ExchangeChannel
        self.reader = reader
        lastActivity = now
    }

    /// Bytes that wait here for the end of the turn.
    var waitingBytes: Int {
        parcels.reduce(outbox.byteCount) { sum, parcel in
            if case .message(let bytes, _) = parcel { sum + bytes.readableBytes } else { sum }
        }
    }

    /// Hands over what waits, in order.
    func handOver(to channel: any ExchangeChannel) {
        for parcel in parcels {
            switch parcel {
            case .message(let bytes, let exchange): channel.write(bytes, of: exchange)
            case .end(let exchange): channel.exchangeEnded(exchange)
            }
        }
        parcels.removeAll(keepingCapacity: true)
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
