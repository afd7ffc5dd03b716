import Glibc

/// The file behind a sink: appends, room kept behind its end, rotation, and what others do to its path.
///
/// Loop-confined. Several gateways may append to one file: every group of records is one write(2) with O_APPEND.
///
/// Room is reserved by allocating blocks behind the end of the file in steps of ``step``. On a file system without
/// fallocate(2) the free space is asked for at each step instead, which another writer can still take away. Gateways
/// that share a file each reserve behind the end that they know, so on a full disk their reserves are not added up;
/// a record that then finds no place waits, and holds back what it is about. The limit RLIMIT_FSIZE bounds a reserve
/// like a full disk; the daemon ignores SIGXFSZ, so that a write beyond it fails instead of killing the process.
final class AuditFile {
    /// How much is reserved at a time, in bytes.
    static let step = 1 << 20

    let place: FilePlace
    var path: String { place.path }
    /// For the next file that is created, and for this one.
    private(set) var access: FileAccess
    private(set) var descriptor: Descriptor
    /// The end of the file as far as known; others may have appended since ``refresh()``.
    private(set) var size: Int
    /// Whether someone else appends too.
    private(set) var isShared = false
    /// What has to reach the disk for everything written to be durable: files, and directories where files came.
    private(set) var unsynced: [SyncTarget] = []

    private var device: dev_t
    private var inode: ino_t
    private var reservedEnd: Int
    private let calls: FileCalls

    init(_ opened: OpenedFile, at place: FilePlace, access: FileAccess, calls: FileCalls) {
        self.place = place
        self.access = access
        self.calls = calls
        descriptor = opened.descriptor
        device = opened.device
        inode = opened.inode
        size = opened.size
        reservedEnd = opened.size
        if opened.isNew { noteDirectory() }
    }

    // MARK: Appending

    /// Appends with one write(2); the bytes taken, or a negative errno.
    func append(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        let taken = calls.write(descriptor.number, UnsafeRawBufferPointer(bytes))
        if taken > 0 {
            size += taken
            if unsynced.last?.descriptor !== descriptor {
                unsynced.append(SyncTarget(descriptor: descriptor, isDirectory: false))
            }
        }
        return taken
    }

    /// Writes `header` if the file is empty; nil, or why the file can not be written now.
    ///
    /// Asked before every group of records of a format with a header: others may have emptied the file or, sharing it,
    /// begun it. Whoever finds it empty under the lock writes the header, so that no two do.
    func begin(with header: [UInt8]) -> String? {
        refresh()
        guard size == 0 else { return nil }
        do {
            let lock = try RotationLock(path, patience: 20)
            defer { withExtendedLifetime(lock) {} }
            refresh()
            guard size == 0 else { return nil }
            let taken = header.withUnsafeBufferPointer { append($0) }
            if taken == header.count { return nil }
            // A beginning of a header would be taken for another format: without records it may go again.
            if taken > 0, ftruncate(descriptor.number, 0) == 0 { refresh() }
            return taken < 0
                ? "cannot write: \(systemText(Int32(-taken)))" : "the header could not be written whole"
        } catch {
            return "cannot lock \(path).lock: \(systemText(error.code))"
        }
    }

    /// Hands over what has to be synced and forgets it.
    func takeUnsynced() -> [SyncTarget] {
        defer { unsynced = [] }
        return unsynced
    }

    /// Lets go of the files and directories of the past: nobody waits for them to be durable.
    func forgetFormerUnsynced() {
        unsynced.removeAll { $0.isDirectory || $0.descriptor !== descriptor }
    }

    // MARK: Room

    /// Makes sure that `length` more bytes have their place; nil, or why they have not.
    ///
    /// Without `mayExtend` the system is not asked: then what was reserved earlier has to do.
    func reserve(_ length: Int, mayExtend: Bool = true) -> String? {
        guard size + length > reservedEnd else { return nil }
        guard mayExtend else { return "there is no room left, and there was none a moment ago" }
        switch Self.room(descriptor.number, from: size, by: length, calls) {
        case .success(let end):
            reservedEnd = end
            return nil
        case .failure(let shortage): return shortage.reason
        }
    }

    private struct Shortage: Error {
        let reason: String
    }

    private static func room(
        _ number: Int32, from size: Int, by length: Int, _ calls: FileCalls
    ) -> Result<Int, Shortage> {
        let limit = calls.sizeLimit()
        guard size + length <= limit else {
            return .failure(
                Shortage(reason: "the process may not make files larger than \(limit) bytes (RLIMIT_FSIZE)"))
        }
        let total = min((length + step - 1) / step * step, limit - size)
        switch calls.reserve(number, size, total) {
        case 0: return .success(size + total)
        case EOPNOTSUPP, ENOSYS:
            let free = calls.freeBytes(number)
            guard free >= total else {
                return .failure(Shortage(reason: "the file system has only \(free) bytes left"))
            }
            return .success(size + total)
        case let code: return .failure(Shortage(reason: "cannot reserve \(total) bytes: \(systemText(code))"))
        }
    }

    // MARK: What others did

    /// Whether the path still leads to this file.
    func isInPlace() -> Bool {
        var info = stat()
        return lstat(path, &info) == 0 && info.st_dev == device && info.st_ino == inode
    }

    /// Learns the file's size: others may have appended, or cut it short, which frees what was reserved.
    func refresh() {
        var info = stat()
        guard fstat(descriptor.number, &info) == 0 else { return }
        let now = Int(info.st_size)
        if now > size { isShared = true }
        if now < size { reservedEnd = now }
        size = now
    }

    /// Goes on in whatever stands at the path now, or in a new file; `room` bytes are reserved there first. Nothing has
    /// changed when it throws.
    func follow(room: Int) throws(AuditError) -> OpenedFile {
        let next = try OpenedFile(path, access)
        var end = next.size
        if room > 0 {
            switch Self.room(next.descriptor.number, from: next.size, by: room, calls) {
            case .success(let reserved): end = reserved
            case .failure(let shortage):
                throw AuditError(code: .noSpace, path: path, reason: shortage.reason)
            }
        }
        adopt(next, reservedEnd: end)
        if next.isNew { noteDirectory() }
        return next
    }

    /// Gives this file and later ones another access.
    func change(_ access: FileAccess) throws(AuditError) {
        guard access != self.access else { return }
        var info = stat()
        let code = fstat(descriptor.number, &info) == 0 ? access.apply(to: descriptor.number, info) : errno
        guard code == 0 else {
            throw AuditError(
                code: .cannotSetAccess, path: path, reason: "cannot set the file's mode or group: \(systemText(code))")
        }
        self.access = access
    }

    // MARK: Rotation

    /// How an attempt to rotate ended. In all but the first case the old file stays in use and nothing is lost.
    enum Rotation {
        case done
        /// Another process holds the lock.
        case busy
        case failed(String)
    }

    /// Moves the file to `.1`, `.1` to `.2` and so on, deletes what is beyond `backups`, and goes on in a new file in
    /// which `room` bytes are already reserved.
    ///
    /// The new file is complete before the old one moves: a full disk can not leave the sink without its reserve.
    /// When another gateway has already rotated, its new file is followed.
    func rotate(backups: Int, room: Int) -> Rotation {
        do {
            let lock = try RotationLock(path)
            defer { withExtendedLifetime(lock) {} }
            guard isInPlace() else {
                _ = try follow(room: room)
                isShared = true
                return .done
            }
            return try replace(backups: backups, room: room).map { .failed($0) } ?? .done
        } catch let error as Errno {
            return error.code == EWOULDBLOCK
                ? .busy : .failed("cannot lock \(path).lock: \(systemText(error.code))")
        } catch let error as AuditError {
            return .failed(error.reason)
        } catch {
            return .failed("\(error)")
        }
    }

    private func replace(backups: Int, room: Int) throws(AuditError) -> String? {
        let fresh = "\(path).new"
        // Left behind by a process that was killed here, under this same lock.
        unlink(fresh)
        let next = try OpenedFile(fresh, access, mustBeNew: true)
        var end = 0
        if room > 0 {
            var reserved = Self.room(next.descriptor.number, from: 0, by: room, calls)
            if case .failure = reserved {
                // The oldest one has to go anyway, and may be what fills the disk.
                unlink("\(path).\(backups)")
                reserved = Self.room(next.descriptor.number, from: 0, by: room, calls)
            }
            switch reserved {
            case .success(let reserved): end = reserved
            case .failure(let shortage):
                unlink(fresh)
                return "cannot rotate: \(shortage.reason)"
            }
        }
        if let failure = shift(backups, fresh) {
            unlink(fresh)
            return failure
        }
        removeBeyond(backups)
        trim()
        adopt(next, reservedEnd: end)
        noteDirectory()
        return nil
    }

    private func shift(_ backups: Int, _ fresh: String) -> String? {
        for index in stride(from: backups - 1, through: 1, by: -1) {
            let code = calls.rename("\(path).\(index)", "\(path).\(index + 1)")
            if code != 0, code != ENOENT { return "cannot rename \(path).\(index): \(systemText(code))" }
        }
        // The only backup is the oldest one, and has to go.
        if backups == 1 { unlink("\(path).1") }
        // The path names a file at every moment. Were it gone for an instant, a gateway that shares it could create
        // one there, which the next rename would replace together with what was written to it.
        var code = calls.link(path, "\(path).1")
        let isLinked = code == 0
        // Not every file system has links; there, ``isBeingRotated`` keeps the others from following too early.
        if !isLinked { code = calls.rename(path, "\(path).1") }
        guard code == 0 else { return "cannot rename \(path): \(systemText(code))" }
        code = calls.rename(fresh, path)
        guard code == 0 else {
            if isLinked { unlink("\(path).1") } else { _ = calls.rename("\(path).1", path) }
            return "cannot rename \(fresh): \(systemText(code))"
        }
        return nil
    }

    /// Whether the path is gone because another gateway is in the midst of a rotation: what is open is still the right
    /// place for records.
    func isBeingRotated() -> Bool {
        var info = stat()
        guard lstat(path, &info) != 0, errno == ENOENT else { return false }
        do throws(Errno) {
            let lock = try RotationLock(path)
            withExtendedLifetime(lock) {}
            return false
        } catch {
            return error.code == EWOULDBLOCK
        }
    }

    private func removeBeyond(_ backups: Int) {
        var index = backups + 1
        while unlink("\(path).\(index)") == 0 { index += 1 }
    }

    /// Gives back what is reserved behind the end. Not in a shared file: another one may append at this moment.
    func trim() {
        refresh()
        if !isShared, reservedEnd > size { ftruncate(descriptor.number, off_t(size)) }
        reservedEnd = size
    }

    /// Deletes the file, which was created in vain and is empty.
    func remove() {
        unlink(path)
    }

    private func adopt(_ next: OpenedFile, reservedEnd: Int) {
        descriptor = next.descriptor
        device = next.device
        inode = next.inode
        size = next.size
        self.reservedEnd = reservedEnd
    }

    private func noteDirectory() {
        let number = open(place.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A directory that may be searched and not read can not be synced; the file in it still is.
        guard number >= 0 else { return }
        unsynced.append(SyncTarget(descriptor: Descriptor(number), isDirectory: true))
    }
}
