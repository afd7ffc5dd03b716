internal import JSONRPCWire

/// What the bridge wants done, in this order.
enum BridgeAction {
    /// Write this line to the client.
    case toClient(SplicedMessage)
    /// Write this line to the daemon; there is a connection.
    case toDaemon(SplicedMessage)
    /// Try to connect; ``Bridge/connected()`` or ``Bridge/connectFailed(_:now:)`` follows.
    case connect
    /// Close the connection; ``Bridge/daemonLost(now:)`` follows.
    case disconnect
    /// Tell the daemon that no more will come, behind everything written.
    case endDaemonInput
    /// Call ``Bridge/woke()`` after that many milliseconds. Only the last such wish counts.
    case wake(after: Int)
    /// Tell the person in front of it, on stderr.
    case note(String)
    /// Hand over what was written to the client, then end with this exit code. Nothing follows.
    case finish(code: Int32)
}
