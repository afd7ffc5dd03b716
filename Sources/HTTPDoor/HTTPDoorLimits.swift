/// Caps and times of a door. Times are in seconds.
struct HTTPDoorLimits: Sendable {
    /// The longest body; `max_message_bytes`.
    var maxBodyBytes: Int
    /// All header fields of one request together.
    var maxHeaderBytes = 32 * 1024
    /// Connections at once; `proxy.http.max_connections`.
    var maxConnections: Int
    /// GET streams of one session at once.
    var maxStreamsPerSession = 8
    /// A modern client's description of itself, by which its requests are told from others'; longer ones count as none.
    var maxClientInfoBytes = 4096
    /// Sessions of modern clients without an open request, of one address and token.
    var maxIdlePeers = 64
    /// How long a modern client's session stays without an open request; a process that belongs to it stays as long.
    var peerTimeout = 60
    /// From the first byte of a head, or from the connection's begin, to the head's end.
    var headTimeout = 10
    /// From the head's end to the body's.
    var bodyTimeout = 60
    /// Between two requests of a connection.
    var idleTimeout = 120
    /// Without a byte for the client: an answer turns into a stream, a stream gets a comment.
    var silence = 15
    /// How long a client may leave what is sent to it untaken.
    var stallTimeout = 30
    /// How long what a refused client still sends is thrown away.
    var lingerTimeout = 2

    init(maxBodyBytes: Int = 16_777_216, maxConnections: Int = 2048) {
        self.maxBodyBytes = maxBodyBytes
        self.maxConnections = maxConnections
    }

    /// Bodies of all connections together that may be on their way at once.
    var maxBodyBytesInAll: Int { 16 * maxBodyBytes }
}
