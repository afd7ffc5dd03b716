internal import COpenAt2
internal import Glibc

/// One directory that the operator allowed, held open from the start: renaming it later, or putting a link in its
/// place, changes nothing about what is served.
final class AllowedDirectory: Sendable {
    /// Its real path.
    let path: String
    /// The paths under which callers may name it: the real one, and the one on the command line.
    let names: [String]
    let descriptor: Descriptor

    init(path: String, names: [String], descriptor: consuming Descriptor) {
        self.path = path
        self.names = names
        self.descriptor = descriptor
    }
}

/// All directories that are served, in the order of the command line.
public struct AllowedDirectories: Sendable {
    /// The longest path that a caller may give, in bytes (Linux's PATH_MAX).
    static let maxPathBytes = 4096

    let directories: [AllowedDirectory]
    private let home: String?

    /// Opens the directories.
    ///
    /// - Parameters:
    ///   - paths: as on the command line: absolute, relative to the working directory, or beginning with `~/`.
    ///   - home: what `~` stands for.
    /// - Throws: ``FilesystemError`` that names the directory which is missing or none, or says that the kernel has no
    ///   openat2(2).
    public init(_ paths: [String], home: String?) throws(FilesystemError) {
        self.home = home
        var opened: [AllowedDirectory] = []
        for path in paths { opened.append(try Self.open(path, home: home)) }
        directories = opened
    }

    private static func open(_ path: String, home: String?) throws(FilesystemError) -> AllowedDirectory {
        let expanded = try expand(path, home: home)
        guard let resolved = realpath(expanded, nil) else {
            switch errno {
            case ENOENT:
                throw FilesystemError(
                    .missing, "the directory \"\(path)\" does not exist; create it with: mkdir -p '\(path)'")
            case let number: throw .system(path, number, "open the directory")
            }
        }
        defer { free(resolved) }
        let real = String(cString: resolved)
        let number = Glibc.open(real, copenat2_path | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .system(path, errno, "open the directory") }
        let descriptor = Descriptor(owning: number)
        do throws(SystemFailure) {
            _ = try descriptor.openBeneath(".", copenat2_path)
        } catch {
            guard error.number == ENOSYS || error.number == EPERM else { throw error.error(path, "open the directory") }
            throw FilesystemError(
                .unsupported,
                "this system refuses openat2(2), without which paths cannot be confined to \"\(path)\": run on Linux "
                    + "5.6 or later, and let the sandbox or container allow that call")
        }
        let given = PathText.normalised(expanded)
        let names = given.utf8.first == UInt8(ascii: "/") && given != real ? [real, given] : [real]
        return AllowedDirectory(path: real, names: names, descriptor: descriptor)
    }

    /// Finds the directory that a caller's path begins with. Nothing is looked up: that happens when the location is
    /// opened, and cannot leave the directory.
    func locate(_ given: String) throws(FilesystemError) -> Location {
        guard !given.isEmpty else { throw .invalid("a path must not be empty") }
        guard given.utf8.count <= Self.maxPathBytes else {
            throw .invalid("a path of \(given.utf8.count) bytes is longer than the \(Self.maxPathBytes) allowed")
        }
        // It would end the path for the system, so that we would judge another than the one opened.
        guard !given.utf8.contains(0) else { throw .invalid("a path must not hold a NUL character") }
        let path = PathText.normalised(try Self.expand(given, home: home))
        guard path.utf8.first == UInt8(ascii: "/") else {
            guard let first = directories.first else { throw .outside(given) }
            return Location(directory: first, name: first.path, relative: path, given: given)
        }
        var best: Location?
        var length = -1
        for directory in directories {
            for name in directory.names where name.utf8.count > length {
                guard let relative = PathText.remainder(of: path, below: name) else { continue }
                best = Location(directory: directory, name: name, relative: relative, given: given)
                length = name.utf8.count
            }
        }
        guard let best else { throw .outside(given) }
        return best
    }

    private static func expand(_ path: String, home: String?) throws(FilesystemError) -> String {
        guard path == "~" || path.utf8.starts(with: "~/".utf8) else { return path }
        guard let home, !home.isEmpty else {
            throw .invalid("\"\(path)\" begins with ~, but HOME is not set; give an absolute path")
        }
        return home + path.dropFirst()
    }
}
