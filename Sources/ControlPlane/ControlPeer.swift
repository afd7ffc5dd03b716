internal import Glibc
internal import NIOCore

/// struct ucred, which Glibc's module hides behind _GNU_SOURCE.
struct ControlPeer: Sendable {
    var pid: Int32 = 0
    var uid: UInt32 = UInt32.max
    var gid: UInt32 = 0

    /// Whether it may ask and subscribe: root, or the user that the daemon runs as. A uid that this user namespace
    /// cannot name reads as 65534 and is refused like any other stranger.
    func isPermitted(owner: UInt32) -> Bool {
        uid == 0 || uid == owner
    }

    /// What the kernel says of the process that connected. unix(7), SO_PEERCRED.
    static func of(_ channel: any Channel) -> EventLoopFuture<ControlPeer> {
        guard let provider = channel as? any SocketOptionProvider else {
            // Only a socket can tell; anything else is a stranger.
            return channel.eventLoop.makeSucceededFuture(ControlPeer())
        }
        return provider.unsafeGetSocketOption(level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
    }
}
