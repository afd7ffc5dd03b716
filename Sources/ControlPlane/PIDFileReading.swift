internal import Glibc

/// What is at the path of a PID file.
enum PIDFileReading {
    /// A PID file, and who owns it.
    case read(PIDFile, owner: uid_t)
    /// Nothing.
    case absent
    /// The directory or the file is closed to this user.
    case notPermitted
    /// Something that is no PID file of ours.
    case corrupt(String)

    /// A PID file has a few hundred bytes; a longer one is none.
    private static let limit = 64 * 1024

    static func read(_ path: String) -> PIDFileReading {
        // Without O_NONBLOCK a FIFO in its place would hold us.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: return .absent
            case EACCES, EPERM: return .notPermitted
            case ELOOP: return .corrupt("it is a symbolic link")
            default: return .corrupt(String(cString: strerror(errno)))
            }
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .corrupt("it is no regular file")
        }
        guard status.st_size <= limit else { return .corrupt("it has more than \(limit) bytes") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { break }
            guard count > 0 else { return .corrupt(String(cString: strerror(errno))) }
            bytes += chunk[..<count]
        }
        do {
            let file = try ControlJSON.decode(PIDFile.self, from: bytes)
            guard file.pid > 0 else { return .corrupt("its pid is \(file.pid)") }
            return .read(file, owner: status.st_uid)
        } catch {
            return .corrupt("it is no JSON of a PID file")
        }
    }
}

/// Whether a PID file tells of a living instance. Only ``running(_:_:)`` is ever signalled.
enum PIDFileFinding {
    /// Its process lives.
    case running(PIDFile, ProcessHandle)
    /// No file.
    case absent
    /// The caller may not look.
    case notPermitted
    /// No PID file of ours.
    case corrupt(String)
    /// Its process has ended without removing it.
    case stale(PIDFile)
    /// Its number belongs to another process by now.
    case reused(PIDFile)
    /// Somebody who is neither root nor the process's user wrote it: it may name any process.
    case foreign(PIDFile, owner: uid_t)

    static func look(at path: String) -> PIDFileFinding {
        switch PIDFileReading.read(path) {
        case .absent: return .absent
        case .notPermitted: return .notPermitted
        case .corrupt(let reason): return .corrupt(reason)
        case .read(let file, let owner):
            guard let now = ProcessIdentity.of(file.pid) else { return .stale(file) }
            guard now.isSame(as: file.process) else { return .reused(file) }
            guard owner == 0 || owner == ProcessIdentity.user(of: file.pid) else {
                return .foreign(file, owner: owner)
            }
            return ProcessHandle(file.process).map { .running(file, $0) } ?? .stale(file)
        }
    }

    /// For a person: what was found there.
    var text: String {
        switch self {
        case .running(let file, _): "pid \(file.pid) is running"
        case .absent: "no file"
        case .notPermitted: "may not be read by uid \(geteuid()): run this as root or as the owner"
        case .corrupt(let reason): "not a PID file: \(reason)"
        case .stale(let file): "stale: process \(file.pid) has ended"
        case .reused(let file): "stale: pid \(file.pid) belongs to another process by now, which is left alone"
        case .foreign(let file, let owner):
            "not trusted: uid \(owner) wrote it, but process \(file.pid) is somebody else's"
        }
    }
}
