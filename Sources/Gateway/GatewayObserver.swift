public import GatewayEvents

/// Who is told what a gateway does, besides the audit: metrics. Called on the loop, between messages, so that every
/// call has to be short.
public protocol GatewayObserver: AnyObject {
    /// An event that went to the audit, the same value; after the audit took it.
    func observe(_ event: AuditEvent)
    /// So many messages left, the first of which was read so long ago. The time goes from the loop turn that read it
    /// to the write that let it go; what an upstream or a client took is not in it.
    func held(_ messages: Int, for nanoseconds: UInt64, _ way: HeldMessages.Way)
    /// A client was not let in.
    func connectionRefused()
}

/// Messages that wait in the gateway for one destination, as far as they are measured: how many, and when the first
/// of them was read. Those behind it in the turn count as read with it.
public struct HeldMessages: Sendable {
    /// Where messages go.
    public enum Way: Sendable {
        case toUpstream, toClient
    }

    private var since: UInt64 = 0
    private var count = 0

    init() {}

    /// One more, read at `time`, in monotonic nanoseconds.
    mutating func add(readAt time: UInt64) {
        if count == 0 { since = time }
        count += 1
    }

    /// They leave at `now`.
    mutating func tell(_ observer: any GatewayObserver, _ way: Way, at now: UInt64) {
        guard count > 0 else { return }
        observer.held(count, for: now > since ? now - since : 0, way)
        count = 0
    }

    /// Takes them out, for a place where they wait longer.
    mutating func take() -> HeldMessages {
        defer { count = 0 }
        return self
    }
}
