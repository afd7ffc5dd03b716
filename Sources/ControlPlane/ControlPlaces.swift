internal import Glibc

/// Where PID files are, in the order in which they are looked for: `--pid-file` or `ZSCALER_MCP_PID_FILE`, which stands
/// alone; `$RUNTIME_DIRECTORY/gatekit.pid`, `/run/gatekit/gatekit.pid`, `$XDG_RUNTIME_DIR/gatekit.pid`,
/// `~/.gatekit/server.pid`. An instance by name is only at `/run/gatekit-<name>/gatekit.pid`.
public struct ControlPlaces: Hashable, Sendable {
    /// The PID file that was named, absolute; nil when the usual places count.
    public let explicit: String?
    /// The usual places, or the one of an instance, in order and each once.
    public let usual: [String]
    /// Where `/run/gatekit-*` is looked for, besides ``usual``; nil when the search is for one place only.
    let instancesParent: String?
    private let home: String

    /// Joins the places.
    /// - Parameters:
    ///   - explicit: `--pid-file`; beats the environment.
    ///   - instance: `--instance`; see ``isInstanceName(_:)``.
    ///   - environment: the process's, with `.env` applied where that is wanted.
    ///   - workingDirectory: what relative paths start from.
    ///   - root: put before `/run`; empty except in tests.
    public init(
        explicit: String? = nil, instance: String? = nil, environment: [String: String], home: String,
        workingDirectory: String, root: String = ""
    ) {
        self.home = home
        let named = explicit ?? (instance == nil ? environment["ZSCALER_MCP_PID_FILE"].nonEmpty : nil)
        self.explicit = named.map { $0.hasPrefix("/") ? $0 : "\(workingDirectory)/\($0)" }
        if let instance, named == nil {
            usual = ["\(root)/run/gatekit-\(instance)/gatekit.pid"]
            instancesParent = nil
            return
        }
        var places: [String] = []
        // systemd.exec(5): several directories are separated by colons.
        if let first = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first {
            places.append("\(first)/gatekit.pid")
        }
        places.append("\(root)/run/gatekit/gatekit.pid")
        if let directory = environment["XDG_RUNTIME_DIR"].nonEmpty { places.append("\(directory)/gatekit.pid") }
        places.append("\(home)/.gatekit/server.pid")
        var seen: Set<String> = []
        usual = places.filter { seen.insert($0).inserted }
        instancesParent = named == nil ? "\(root)/run" : nil
    }

    /// Whether `/run/gatekit-<name>` is one directory, and an instance's: letters, digits, `_`, `.`, `-`, `:`, `@` and
    /// `\`, as systemd escapes such names; not `sockets`, where activated sockets live.
    public static func isInstanceName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 200 && name != "sockets"
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "_.-:@\\".utf8.contains(byte)
                }
            }
    }

    /// The PID file that a starting instance takes: the explicit one, else the first whose directory can be written.
    /// Makes at most one directory: that of the explicit file (0750), or `~/.gatekit` (0700).
    public func chosen() throws(ControlError) -> String {
        if let explicit {
            let parent = Self.directory(of: explicit)
            if mkdir(parent, 0o750) != 0, errno != EEXIST { throw .system("mkdir", parent, errno) }
            return explicit
        }
        var reasons: [String] = []
        for path in usual {
            let directory = Self.directory(of: path)
            if directory == "\(home)/.gatekit" { mkdir(directory, 0o700) }
            if access(directory, W_OK | X_OK) == 0 { return path }
            reasons.append("\(directory): \(String(cString: strerror(errno)))")
        }
        throw ControlError(
            .noPlace, "no place for a PID file (\(reasons.joined(separator: "; "))); name one with --pid-file")
    }

    /// The path without its last component.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component.
    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// Beside the PID file: its name with `.control` in place of `.pid`.
    public static func controlSocket(of pidFile: String) -> String {
        (pidFile.hasSuffix(".pid") ? String(pidFile.dropLast(4)) : pidFile) + ".control"
    }

    /// Beside the PID file: `gatekit.lock`; a file that was given a name of its own has a lock of that name, so that
    /// two such instances can share a directory.
    public static func lockFile(of pidFile: String) -> String {
        let name = name(of: pidFile)
        let stem = name.hasSuffix(".pid") ? String(name.dropLast(4)) : name
        return "\(directory(of: pidFile))/\(["gatekit", "server"].contains(stem) ? "gatekit" : stem).lock"
    }
}

extension Optional where Wrapped == String {
    fileprivate var nonEmpty: String? { self?.isEmpty == false ? self : nil }
}
