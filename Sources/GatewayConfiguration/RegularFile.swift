import Glibc

/// One file, read whole, once, with what the reading found of its protection.
///
/// Only regular files, or links to them, are read: a FIFO would block the start and a device may never end.
struct RegularFile {
    /// The whole content.
    var bytes: [UInt8]
    /// Permission bits.
    var mode: UInt32
    /// Whether the file belongs to the user that this process runs as, and that user is not root.
    var isOwn: Bool

    /// The largest file that is read, in bytes.
    static let maximumBytes = 1024 * 1024

    /// Why a file was not read; the message goes behind the file's name.
    struct Failure: Error {
        var message: String

        init(_ message: String) {
            self.message = message
        }

        init(_ action: String, errno code: Int32) {
            message = "cannot be \(action): \(String(cString: strerror(code)).lowercased())"
        }
    }

    /// Joins what was read.
    init(bytes: [UInt8], mode: UInt32 = 0o600, isOwn: Bool = true) {
        self.bytes = bytes
        self.mode = mode
        self.isOwn = isOwn
    }

    /// Reads the file of this name.
    init(_ path: String) throws(Failure) {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw Failure("has an empty or impossible path") }
        // Looked at before it is opened, since opening a device can already have effects, and again afterwards,
        // since the name may have been given to something else in between.
        var status = stat()
        guard stat(path, &status) == 0 else { throw Failure("opened", errno: errno) }
        try Self.requireRegular(status)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw Failure("opened", errno: errno) }
        defer { close(descriptor) }
        guard fstat(descriptor, &status) == 0 else { throw Failure("examined", errno: errno) }
        try Self.requireRegular(status)
        mode = UInt32(status.st_mode) & 0o7777
        isOwn = status.st_uid == geteuid() && status.st_uid != 0

        bytes = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure("read", errno: errno)
            }
            if count == 0 { return }
            bytes += chunk[..<count]
            guard bytes.count <= Self.maximumBytes else {
                throw Failure("is longer than \(Self.maximumBytes) bytes, the longest that is read")
            }
        }
    }

    private static func requireRegular(_ status: stat) throws(Failure) {
        let kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: ""
            case S_IFDIR: "a directory"
            case S_IFIFO: "a FIFO"
            case S_IFCHR, S_IFBLK: "a device"
            case S_IFSOCK: "a socket"
            default: "of an unknown kind"
            }
        guard kind.isEmpty else { throw Failure("is \(kind); name a regular file") }
    }
}

extension RegularFile {
    /// Whom the permissions let at a secret besides those who need it; nil when nobody.
    ///
    /// A group may read what belongs to root or to another user: that is how a service reads a secret that it must not
    /// change.
    var exposure: String? {
        if mode & 0o002 != 0 { return "every local user may change it" }
        if mode & 0o004 != 0 { return "every local user may read it" }
        if mode & 0o020 != 0 { return "its group may change it" }
        if mode & 0o040 != 0, isOwn { return "its group may read it" }
        return nil
    }
}
