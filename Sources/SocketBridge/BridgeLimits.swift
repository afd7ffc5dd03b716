/// Caps and times of the bridge. Times are in milliseconds.
enum BridgeLimits {
    /// The longest line either way. Four times the daemon's default `max_message_bytes`, which is what usually counts.
    static let lineBytes = 64 * 1024 * 1024
    /// The deepest nesting that is understood: the highest `max_depth` that a daemon can have.
    static let depth = 512
    /// Messages of the client that wait while there is no daemon.
    static let waitingLines = 256
    /// Their bytes.
    static let waitingBytes = 1024 * 1024
    /// The client's requests in flight: the highest `max_pending_per_session` that a daemon can have.
    static let calls = 100_000
    /// The daemon's requests that the client has not answered, on this connection and on those before.
    static let serverRequests = 1024
    /// Subscriptions that are restored.
    static let subscriptions = 10_000
    /// The bytes of their URIs.
    static let subscriptionBytes = 4 * 1024 * 1024
    /// The longest name of a log level that is restored; the longest of MCP has nine bytes.
    static let levelBytes = 64
    /// A longer answer is recognised by its first bytes, where they tell its id.
    static let peekAbove = 64 * 1024

    /// The first wait before another attempt to connect; it doubles.
    static let firstBackoff = 100
    /// The longest wait.
    static let longestBackoff = 2000
    /// A connection on which the daemon said nothing counts as sound when it has lived that long.
    static let soundAfter = 2000
    /// How long a daemon may take to answer the replayed `initialize`: its upstream starts anew meanwhile.
    static let handshake = 120_000
    /// How long a client that has not said `initialize` yet may take to, so that it learns why there is no daemon.
    static let farewell = 500
    /// How long a client may take its last lines after a failure.
    static let lastLines = 10_000
}
