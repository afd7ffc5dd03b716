internal import COpenAt2
internal import Glibc

/// What an entry is.
enum FileKind: Hashable, Sendable {
    case file, directory, link
    /// A device, FIFO or socket, under the name it has in messages.
    case special(String)

    init(mode: UInt32) {
        self =
            switch mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFIFO: .special("a FIFO")
            case S_IFSOCK: .special("a socket")
            default: .special("a device")
            }
    }
}

/// What the file system tells about a file. Times are seconds since 1970, UTC.
struct FileInformation: Hashable, Sendable {
    let kind: FileKind
    let size: UInt64
    /// The nine permission bits, and sticky, setgid and setuid above them.
    let permissions: UInt32
    let owner: UInt32
    let group: UInt32
    /// Not every file system keeps it.
    let created: Int64?
    let modified: Int64
    let accessed: Int64

    init(_ found: copenat2_information) {
        kind = FileKind(mode: found.mode)
        size = found.size
        permissions = found.mode & 0o7777
        owner = found.owner
        group = found.group
        created = found.has_created ? found.created : nil
        modified = found.modified
        accessed = found.accessed
    }

    /// Refuses everything but a regular file: reading a FIFO or device may block, or do something.
    func expectFile(_ path: String) throws(FilesystemError) {
        switch kind {
        case .file: return
        case .directory: throw FilesystemError(.wrongKind, "\"\(path)\" is a directory, not a file")
        case .link: throw FilesystemError(.wrongKind, "\"\(path)\" is a symbolic link, not a file")
        case .special(let kind):
            throw FilesystemError(.wrongKind, "\"\(path)\" is \(kind); only regular files are served")
        }
    }

    /// Refuses devices, FIFOs and sockets.
    func expectServed(_ path: String) throws(FilesystemError) {
        guard case .special(let kind) = kind else { return }
        throw FilesystemError(.wrongKind, "\"\(path)\" is \(kind); only regular files and directories are served")
    }
}
