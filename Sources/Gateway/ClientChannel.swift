public import MCPRouting
public import NIOCore

/// How the gateway reaches one client; a door makes it. Every call comes on the gateway loop.
public protocol ClientChannel: AnyObject {
    /// Queues bytes; they go out at the next ``flush()``.
    func write(_ bytes: ByteBuffer)
    /// Starts sending what is queued.
    func flush()
    /// Bytes that the client has not taken yet.
    var queuedBytes: Int { get }
    /// Whether the door may read from the client. Calls that repeat the present state change nothing.
    func setReading(_ isReading: Bool)
    /// Closes after what is queued has gone out, but no later than in ten seconds, or at once when `isAbrupt`; calls
    /// `closed` on the loop when it is done.
    func close(isAbrupt: Bool, _ closed: @escaping () -> Void)
    /// A lone stdio session is never closed for reading slowly: it slows its upstream instead.
    var slowsUpstream: Bool { get }
    /// Whether `idle_session_timeout` applies.
    var expiresWhenIdle: Bool { get }
    /// Whether its client is still there, as far as the door can tell.
    var presence: ClientPresence { get }
}

/// What a door knows of a client that says nothing.
public enum ClientPresence: Sendable {
    /// It holds a connection open.
    case present
    /// It may come back or not: over HTTP a session has no connection of its own.
    case unknown
    /// It had a stream of the session open, and closed it.
    case gone
}

extension ClientChannel {
    /// A connection is the client.
    public var presence: ClientPresence { .present }
}

/// A channel that carries several exchanges of one session, each with its own way to the client, as HTTP does. The
/// gateway calls these instead of ``ClientChannel/write(_:)``; ``ClientChannel/flush()`` follows at the end of the turn.
public protocol ExchangeChannel: ClientChannel {
    /// Queues one message, without a newline, for its exchange or for the session as a whole.
    func write(_ message: ByteBuffer, of exchange: Exchange)
    /// Nothing more belongs to this exchange.
    func exchangeEnded(_ exchange: Exchange)
}
