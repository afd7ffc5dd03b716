internal import Glibc

/// One entry of a directory that was read.
struct TreeNode: Sendable {
    /// The name; what of it is no UTF-8 is replaced, and such an entry cannot be opened.
    let name: String
    /// A link is never followed here and counts as a file.
    let isDirectory: Bool
    /// What is in the directory, by name; empty where it was not entered.
    var children: [TreeNode] = []
}

/// Reading what is in directories, through their descriptors only.
struct DirectoryTree {
    private let given: String
    private let excluded: [Glob]
    private let maxEntries: Int
    private let cap: String
    private let maxDepth: Int
    private var count = 0
    /// The directories that could not be read, relative to the first.
    private(set) var unreadable: [String] = []

    /// Prepares to read; `cap` is how the error for more than `maxEntries` calls it.
    init(given: String, excluding: [Glob], maxEntries: Int, cap: String, maxDepth: Int) {
        self.given = given
        excluded = excluding
        self.maxEntries = maxEntries
        self.cap = cap
        self.maxDepth = maxDepth
    }

    /// The entries of one directory, without theirs.
    static func list(_ location: Location, maxEntries: Int) throws(FilesystemError) -> [TreeNode] {
        var tree = DirectoryTree(
            given: location.given, excluding: [], maxEntries: maxEntries, cap: "max_entries", maxDepth: 0)
        return try tree.read(try open(location), prefix: "", depth: nil)
    }

    /// Everything below a directory.
    mutating func read(_ location: Location) throws(FilesystemError) -> [TreeNode] {
        try read(try Self.open(location), prefix: "", depth: 0)
    }

    private static func open(_ location: Location) throws(FilesystemError) -> Descriptor {
        try location.information().expectServed(location.given)
        return try location.open(O_RDONLY | O_DIRECTORY, "list")
    }

    /// `depth` is `nil` when subdirectories are not entered.
    private mutating func read(
        _ directory: consuming Descriptor, prefix: String, depth: Int?
    ) throws(FilesystemError) -> [TreeNode] {
        guard depth ?? 0 <= maxDepth else {
            throw FilesystemError(
                .tooLarge, "\"\(given)\" has more than the \(maxDepth) levels that max_depth allows; start further down"
            )
        }
        let number = directory.release()
        guard let stream = fdopendir(number) else {
            let failure = errno
            _ = close(number)  // fdopendir has not taken it over
            throw .system(given, failure, "list")
        }
        defer { closedir(stream) }
        var nodes = try entries(of: stream, number, prefix)
        nodes.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        guard let depth else { return nodes }
        for index in nodes.indices where nodes[index].isDirectory {
            let path = PathText.joined(prefix, nodes[index].name)
            let child: Descriptor
            do throws(SystemFailure) {
                child = try open(nodes[index].name, in: number)
            } catch {
                // Gone meanwhile, or exchanged for something else: then it has no children to tell of.
                if ![ENOENT, ENOTDIR, ELOOP].contains(error.number) { unreadable.append(path) }
                continue
            }
            nodes[index].children = try read(child, prefix: path, depth: depth + 1)
        }
        return nodes
    }

    private mutating func entries(
        of stream: OpaquePointer, _ number: Int32, _ prefix: String
    ) throws(FilesystemError) -> [TreeNode] {
        var nodes: [TreeNode] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .system(given, errno, "list") }
                return nodes
            }
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if PathText.isEqual(name, ".") || PathText.isEqual(name, "..") { continue }
            let path = PathText.joined(prefix, name)
            if excluded.contains(where: { $0.matches(path) }) { continue }
            count += 1
            guard count <= maxEntries else {
                throw FilesystemError(
                    .tooLarge,
                    "\"\(given)\" has more than the \(maxEntries) entries that \(cap) allows; start further down or "
                        + "use excludePatterns")
            }
            nodes.append(TreeNode(name: name, isDirectory: isDirectory(entry.pointee.d_type, name, in: number)))
        }
    }

    private func isDirectory(_ type: UInt8, _ name: String, in number: Int32) -> Bool {
        if type != DT_UNKNOWN { return type == DT_DIR }
        var status = stat()
        // An entry that is gone meanwhile is told as a file, like one whose kind the directory itself had told.
        guard fstatat(number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    private func open(_ name: String, in number: Int32) throws(SystemFailure) -> Descriptor {
        // One name and no link: it cannot be anything but a child of the open directory.
        let result = openat(number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard result >= 0 else { throw SystemFailure(number: errno) }
        return Descriptor(owning: result)
    }
}
