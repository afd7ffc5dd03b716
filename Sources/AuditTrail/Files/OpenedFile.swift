import GatewayConfiguration
import Glibc

/// Which permission bits and group a sink's files get.
struct FileAccess: Hashable {
    let mode: UInt32
    /// nil leaves the group that the system gives.
    let group: gid_t?

    init(_ settings: FileAuditingSettings) throws(AuditError) {
        mode = settings.fileMode
        guard let name = settings.group else {
            group = nil
            return
        }
        // getgrnam's static answer is safe: the loop is the only thread that asks, and its number is copied at once.
        guard let entry = getgrnam(name) else {
            throw AuditError(
                code: .unknownGroup, path: settings.outputFile,
                reason: "there is no group '\(name)'; create it or change 'group'")
        }
        group = entry.pointee.gr_gid
    }

    /// Makes the open file so; 0 or an errno. Independent of the umask.
    func apply(to descriptor: Int32, _ info: stat) -> Int32 {
        if let group, info.st_gid != group, fchown(descriptor, uid_t.max, group) != 0 { return errno }
        // After fchown, which may take permission bits away.
        if info.st_mode & 0o7777 != mode || group != nil, fchmod(descriptor, mode) != 0 { return errno }
        return 0
    }
}

/// A sink's file just after it was opened and found to be a regular one.
struct OpenedFile {
    let descriptor: Descriptor
    let device: dev_t
    let inode: ino_t
    let size: Int
    /// Whether it did not exist before.
    let isNew: Bool
    /// Up to ``longestBeginning`` bytes; empty when the file is.
    let beginning: [UInt8]
    /// nil when it is empty.
    let lastByte: UInt8?

    /// Enough for a csv header, quoted.
    static let longestBeginning = 512

    /// Opens `path` for appending, creates it if `mayCreate`, and gives it its access.
    ///
    /// Anything but a regular file is refused before it is opened, because opening a FIFO or a device may already have
    /// an effect, and once more behind the open, because the path may have changed in between.
    init(_ path: String, _ access: FileAccess, mustBeNew: Bool = false) throws(AuditError) {
        var before = stat()
        let existed = lstat(path, &before) == 0
        if existed, let kind = Self.specialKind(before.st_mode) { throw Self.special(path, kind) }
        let flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (mustBeNew ? O_EXCL : 0)
        let number = open(path, flags, mode_t(access.mode))
        guard number >= 0 else {
            if errno == ELOOP { throw Self.special(path, "a symbolic link") }
            throw AuditError(code: .cannotOpen, path: path, reason: "cannot open: \(systemText(errno))")
        }
        descriptor = Descriptor(number)
        var info = stat()
        guard fstat(number, &info) == 0 else {
            throw AuditError(code: .cannotOpen, path: path, reason: "cannot inspect: \(systemText(errno))")
        }
        if let kind = Self.specialKind(info.st_mode) { throw Self.special(path, kind) }
        let refusal = access.apply(to: number, info)
        guard refusal == 0 else {
            if !existed { unlink(path) }
            throw AuditError(
                code: .cannotSetAccess, path: path,
                reason: "cannot set mode 0\(String(access.mode, radix: 8)) or the group: \(systemText(refusal))")
        }
        device = info.st_dev
        inode = info.st_ino
        size = Int(info.st_size)
        isNew = !existed
        beginning = Self.beginning(number)
        lastByte = size == 0 ? nil : Self.byte(number, at: size - 1)
    }

    static func beginning(_ descriptor: Int32) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: longestBeginning) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, longestBeginning, 0))
        }
    }

    private static func byte(_ descriptor: Int32, at offset: Int) -> UInt8? {
        var byte: UInt8 = 0
        return pread(descriptor, &byte, 1, off_t(offset)) == 1 ? byte : nil
    }

    private static func special(_ path: String, _ kind: String) -> AuditError {
        AuditError(
            code: .notARegularFile, path: path, reason: "it is \(kind); 'output_file' must name a regular file")
    }

    private static func specialKind(_ mode: mode_t) -> String? {
        switch mode & S_IFMT {
        case S_IFREG: nil
        case S_IFDIR: "a directory"
        case S_IFLNK: "a symbolic link"
        case S_IFIFO: "a FIFO"
        case S_IFSOCK: "a socket"
        default: "a device"
        }
    }
}
