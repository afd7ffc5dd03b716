import Glibc

/// A file's place: its directory, resolved, and its name. Two settings mean one sink when their places are equal.
struct FilePlace: Hashable {
    let path: String
    let directory: String

    /// Resolves `configured`, an absolute path. Missing parent directories are created with mode 0750, whatever the
    /// umask; the file itself is not touched, so that a symlink in its place stays visible as one.
    init(creating configured: String) throws(AuditError) {
        guard configured.utf8.first == UInt8(ascii: "/"), !configured.utf8.contains(0),
            let slash = configured.lastIndex(of: "/")
        else {
            throw AuditError(code: .cannotOpen, path: configured, reason: "not an absolute path")
        }
        let name = String(configured[configured.index(after: slash)...])
        guard !name.isEmpty, name != ".", name != ".." else {
            throw AuditError(code: .notARegularFile, path: configured, reason: "the path names a directory, not a file")
        }
        let parent = slash == configured.startIndex ? "/" : String(configured[..<slash])
        if let (failed, code) = Self.create(parent) {
            throw AuditError(
                code: .cannotOpen, path: configured,
                reason: "cannot create the directory \(failed): \(systemText(code))")
        }
        guard let resolved = realpath(parent, nil) else {
            throw AuditError(
                code: .cannotOpen, path: configured,
                reason: "cannot resolve the directory \(parent): \(systemText(errno))")
        }
        defer { free(resolved) }
        directory = String(cString: resolved)
        path = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
    }

    private static func create(_ directory: String) -> (failed: String, code: Int32)? {
        var info = stat()
        if stat(directory, &info) == 0 {
            return info.st_mode & S_IFMT == S_IFDIR ? nil : (directory, ENOTDIR)
        }
        guard errno == ENOENT else { return (directory, errno) }
        if let slash = directory.lastIndex(of: "/"), slash != directory.startIndex,
            let failure = create(String(directory[..<slash]))
        {
            return failure
        }
        guard mkdir(directory, 0o750) == 0 else { return errno == EEXIST ? nil : (directory, errno) }
        return chmod(directory, 0o750) == 0 ? nil : (directory, errno)
    }
}
