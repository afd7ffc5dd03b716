internal import DequeModule
internal import NIOCore

/// The last events of one session, for clients that come back: 256 of them or 1 MiB, the oldest dropped first; the
/// newest is kept whatever its size.
struct EventStore {
    struct Event {
        let id: EventID
        let message: ByteBuffer
        /// Whether it was written to a client.
        var isSent: Bool
    }

    /// What a client that comes back with an id is given.
    enum Resumption {
        /// Its id is not known: a new stream of the session.
        case anew
        /// The events that it missed of this stream.
        case missed(stream: UInt32, [Event])
    }

    static let maxCount = 256
    static let maxBytes = 1024 * 1024

    private var events: Deque<Event> = []
    private var byteCount = 0
    private var last: UInt64 = 0

    /// The id of the next event of a stream. Every id is used once in a session.
    mutating func mint(_ stream: UInt32) -> EventID {
        last += 1
        return EventID(stream: stream, number: last)
    }

    /// Keeps a message under a new id.
    mutating func add(_ message: ByteBuffer, to stream: UInt32, isSent: Bool) -> EventID {
        let id = mint(stream)
        events.append(Event(id: id, message: message, isSent: isSent))
        byteCount += message.readableBytes
        while events.count > Self.maxCount || byteCount > Self.maxBytes && events.count > 1 {
            byteCount -= events.removeFirst().message.readableBytes
        }
        return id
    }

    /// What nobody has been sent of a stream; from now on it counts as sent.
    mutating func takeUnsent(of stream: UInt32) -> [Event] {
        var found: [Event] = []
        for index in events.indices where !events[index].isSent && events[index].id.stream == stream {
            events[index].isSent = true
            found.append(events[index])
        }
        return found
    }

    /// What a client has missed after the event that it saw last. `isOpen` says whether a stream still goes on.
    mutating func resume(after id: EventID?, isOpen: (UInt32) -> Bool) -> Resumption {
        guard let id, id.number <= last else { return .anew }
        var missed: [Event] = []
        for index in events.indices where events[index].id.stream == id.stream && events[index].id.number > id.number {
            events[index].isSent = true
            missed.append(events[index])
        }
        if missed.isEmpty, id.stream != 0, !isOpen(id.stream) { return .anew }
        return .missed(stream: id.stream, missed)
    }
}
