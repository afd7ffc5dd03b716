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
    /// The files that the configuration names, tokens and certificates, each once, in the order in which they were
    /// read. They hold secrets.
    public internal(set) var named: [File]

    /// The files in the order in which they are hashed.
    public var files: [File] {
        [config] + (dotenv.map { [$0] } ?? []) + named
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

    /// Joins files that have been read.
    init(config: File, dotenv: File?, named: [File] = []) {
        self.config = config
        self.dotenv = dotenv
        self.named = named
    }

    /// Reads both files; problems of both are reported together. What the configuration names is read when it is
    /// known: see ``NamedFiles``.
    init(configPath: String, dotenvPath: String?) throws(ConfigurationError) {
        var problems: [ConfigurationProblem] = []
        func read(_ path: String, as kind: String) -> File? {
            do throws(RegularFile.Failure) {
                return File(path: path, bytes: try RegularFile(path).bytes)
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
        named = []
    }
}
