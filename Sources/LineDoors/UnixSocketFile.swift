internal import GatewayConfiguration
internal import Glibc

/// The file of a listening Unix socket: made with the right owner and mode before anyone can connect, taken over only
/// from the dead, and removed only when it is still ours.
struct UnixSocketFile {
    let path: String
    /// Bound, not listening yet. Whoever takes it over closes it.
    let descriptor: Int32
    /// Held on `<path>.lock` for as long as the door is ours.
    let lock: Int32
    private let device: dev_t
    private let inode: ino_t

    /// Binds. Holds `<path>.lock` until ``remove()``, so that two gateways never race for the same path; a socket that
    /// still answers, whoever serves it, is never replaced.
    init(_ settings: UnixDoorSettings) throws(DoorError) {
        path = settings.path
        guard path.utf8.count < 108 else {
            throw DoorError(
                code: .pathTooLong,
                description: "proxy.unix.path \(path): longer than the 107 bytes that a socket address can hold")
        }
        let group = try Self.group(settings.group)
        try Self.makeParent(of: path)
        lock = try Self.lock("\(path).lock")
        do {
            try Self.removeStale(path)
            descriptor = try Self.bind(path, mode: settings.mode, group: group)
        } catch {
            Glibc.close(lock)
            throw error
        }
        var status = stat()
        lstat(path, &status)
        device = status.st_dev
        inode = status.st_ino
    }

    /// Removes the file unless someone has replaced it, and lets go of the lock.
    func remove() {
        var status = stat()
        if lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode { unlink(path) }
        Glibc.close(lock)
    }

    /// chmod and chown of the file that is ours.
    func change(mode: UInt32, group name: String?) throws(DoorError) {
        let group = try Self.group(name) ?? getegid()
        var status = stat()
        // A sandbox may forbid chown altogether, and there is nothing to change then.
        let isRight = lstat(path, &status) == 0 && status.st_gid == group
        if !isRight, chown(path, uid_t.max, group) != 0 { throw .system("chown", path, errno) }
        if chmod(path, mode) != 0 { throw .system("chmod", path, errno) }
    }

    static func group(_ name: String?) throws(DoorError) -> gid_t? {
        guard let name else { return nil }
        guard let entry = getgrnam(name) else {
            throw DoorError(code: .unknownGroup, description: "proxy.unix.group \(name): no such group")
        }
        return entry.pointee.gr_gid
    }

    private static func makeParent(of path: String) throws(DoorError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let parent = String(path[..<slash])
        if mkdir(parent, 0o750) != 0, errno != EEXIST { throw .system("mkdir", parent, errno) }
    }

    private static func lock(_ path: String) throws(DoorError) -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("open", path, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(descriptor)
            throw DoorError(
                code: .alreadyServed,
                description: "\(path) is locked: another gateway serves this socket; stop it, or set proxy.unix.path")
        }
        return descriptor
    }

    private static func removeStale(_ path: String) throws(DoorError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw DoorError(
                code: .notASocket, description: "\(path) exists and is no socket: remove it, or set proxy.unix.path")
        }
        let probe = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { throw .system("socket", path, errno) }
        defer { Glibc.close(probe) }
        let result = withAddress(of: path) { connect(probe, $0, $1) }
        guard result != 0, errno == ECONNREFUSED else {
            throw DoorError(
                code: .alreadyServed,
                description: "\(path) is served by another process: stop it, or set proxy.unix.path")
        }
        if unlink(path) != 0 { throw .system("unlink", path, errno) }
    }

    private static func bind(_ path: String, mode: UInt32, group: gid_t?) throws(DoorError) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("socket", path, errno) }
        // Nobody may connect before owner and mode are right: nothing is accepted before listen(2), and the file is
        // private until chmod: it gets the mode of the socket. Not by umask(2), which is the whole process's.
        fchmod(descriptor, 0o600)
        let bound = withAddress(of: path) { Glibc.bind(descriptor, $0, $1) }
        let bindError = errno
        guard bound == 0 else {
            Glibc.close(descriptor)
            throw .system("bind", path, bindError)
        }
        if let group, chown(path, uid_t.max, group) != 0 {
            let number = errno
            Glibc.close(descriptor)
            unlink(path)
            throw .system("chown", path, number)
        }
        if chmod(path, mode) != 0 {
            let number = errno
            Glibc.close(descriptor)
            unlink(path)
            throw .system("chmod", path, number)
        }
        return descriptor
    }

    private static func withAddress(of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
