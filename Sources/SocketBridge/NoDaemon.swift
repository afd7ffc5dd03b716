internal import Glibc
internal import NIOCore

/// Why one place has no daemon.
struct SocketMiss {
    let path: String
    /// 0 when it was no system call that failed.
    let number: Int32
    let reason: String

    init(path: String, error: any Error) {
        self.path = path
        number = (error as? IOError)?.errnoCode ?? 0
        switch number {
        case ENOENT: reason = "no such file"
        case ECONNREFUSED: reason = "nobody listens"
        case EACCES, EPERM: reason = "permission denied"
        case ENOTSOCK: reason = "no socket"
        case 0: reason = "\(error)"
        default: reason = String(cString: strerror(number))
        }
    }
}

/// No place has a daemon.
struct NoDaemon: Error, CustomStringConvertible {
    let misses: [SocketMiss]
    /// Whether the place was named rather than one of the usual ones.
    let isNamed: Bool

    /// Every place with its reason, and the remedy.
    var description: String {
        let places = misses.map { "\($0.path): \($0.reason)" }.joined(separator: "; ")
        if misses.contains(where: { $0.number == EACCES || $0.number == EPERM }) {
            return "no daemon may be reached at \(places); join the socket's group, "
                + "usually 'adduser $USER gatekit', and log in again"
        }
        let other = isNamed ? "name another socket" : "name its socket"
        return "no daemon at \(places); start one ('systemctl start gatekit', or 'gatekit --config F' with "
            + "'transport: unix'), or \(other) with --socket or GATEKIT_SOCKET"
    }
}
