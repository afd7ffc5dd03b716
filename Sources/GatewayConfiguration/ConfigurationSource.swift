import Glibc

/// The files that a configuration is made of, each read exactly once, so that what is validated, what is hashed and
/// what is applied are the same bytes.
public struct ConfigurationSource: Hashable, Sendable {
    /// One file's name and content.
    public struct File: Hashable, Sendable {
        /// As the caller named it.
        public let path: String
        /// The whole content.
        public let bytes: [UInt8]
    }

    /// The YAML file.
    public let config: File
    /// The `.env` file, if one is used.
    public let dotenv: File?

    /// The files in the order in which they are hashed.
    public var files: [File] {
        [config] + (dotenv.map { [$0] } ?? [])
    }

    /// Full SHA-256 in lower-case hex over every file, each preceded by its length, so that bytes cannot move
    /// from one file to the next unnoticed. Paths are not part of it.
    public var hash: String {
        var hasher = SHA256()
        for file in files {
            withUnsafeBytes(of: UInt64(file.bytes.count).bigEndian) { hasher.update($0) }
            file.bytes.withUnsafeBytes { hasher.update($0) }
        }
        return hasher.finish()
    }

    /// The largest file that is read, in bytes.
    static let maximumBytes = 1024 * 1024

    /// Joins files that have been read.
    init(config: File, dotenv: File?) {
        self.config = config
        self.dotenv = dotenv
    }

    /// Reads both files; problems of both are reported together.
    ///
    /// Only regular files, or links to them, are read: a FIFO would block the start and a device may never end.
    init(configPath: String, dotenvPath: String?) throws(ConfigurationError) {
        var problems: [ConfigurationProblem] = []
        func read(_ path: String, as kind: String) -> File? {
            do throws(ReadFailure) {
                return File(path: path, bytes: try Self.readRegularFile(path))
            } catch {
                problems.append(ConfigurationProblem(file: path, message: "\(kind) \(error.message)"))
                return nil
            }
        }
        let config = read(configPath, as: "the configuration file")
        let dotenv = dotenvPath.flatMap { read($0, as: "the .env file") }
        guard let config, problems.isEmpty else { throw ConfigurationError(problems: problems) }
        self.config = config
        self.dotenv = dotenv
    }

    private struct ReadFailure: Error {
        var message: String

        init(_ message: String) {
            self.message = message
        }

        init(_ action: String, errno code: Int32) {
            message = "cannot be \(action): \(String(cString: strerror(code)).lowercased())"
        }
    }

    private static func readRegularFile(_ path: String) throws(ReadFailure) -> [UInt8] {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw ReadFailure("has an empty or impossible path") }
        // Looked at before it is opened, since opening a device can already have effects, and again afterwards,
        // since the name may have been given to something else in between.
        var status = stat()
        guard stat(path, &status) == 0 else { throw ReadFailure("opened", errno: errno) }
        try requireRegular(status)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw ReadFailure("opened", errno: errno) }
        defer { close(descriptor) }
        guard fstat(descriptor, &status) == 0 else { throw ReadFailure("examined", errno: errno) }
        try requireRegular(status)

        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw ReadFailure("read", errno: errno)
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= maximumBytes else {
                throw ReadFailure("is longer than \(maximumBytes) bytes, the longest that is read")
            }
        }
    }

    private static func requireRegular(_ status: stat) throws(ReadFailure) {
        let kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: ""
            case S_IFDIR: "a directory"
            case S_IFIFO: "a FIFO"
            case S_IFCHR, S_IFBLK: "a device"
            case S_IFSOCK: "a socket"
            default: "of an unknown kind"
            }
        guard kind.isEmpty else { throw ReadFailure("is \(kind); name a regular file") }
    }
}
