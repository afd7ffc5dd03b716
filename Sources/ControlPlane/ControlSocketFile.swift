internal import Glibc

/// The file of the listening control socket: 0600 from the moment it exists, removed only when it is still ours.
///
/// What stands in its place is a leftover: whoever holds the PID file beside it holds this name as well.
struct ControlSocketFile {
    let path: String
    /// Bound, not listening yet. Whoever takes it over closes it.
    let descriptor: Int32
    private let device: dev_t
    private let inode: ino_t

    init(_ path: String) throws(ControlError) {
        self.path = path
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else {
                throw ControlError(.notOurs, "\(path) exists and is no socket: remove it, or choose another --pid-file")
            }
            if unlink(path) != 0 { throw .system("unlink", path, errno) }
        }
        let address = try ControlAddress(path)
        let bound = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard bound >= 0 else { throw .system("socket", path, errno) }
        // Linux gives the file the mode of the socket's own inode, so there is no moment in which it is open to others,
        // and no umask to change under the feet of other threads.
        guard fchmod(bound, 0o600) == 0, address.with({ Glibc.bind(bound, $0, $1) }) == 0, lstat(path, &status) == 0
        else {
            let number = errno
            Glibc.close(bound)
            throw .system("bind", path, number)
        }
        descriptor = bound
        device = status.st_dev
        inode = status.st_ino
    }

    /// Removes the file unless someone has replaced it.
    func remove() {
        var status = stat()
        if lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode { unlink(path) }
    }
}
