internal import Glibc

/// The JSON file that says who runs: data for commands, never the lock.
public struct PIDFile: Codable, Hashable, Sendable {
    /// The process.
    public var pid: Int32
    /// When this program image started, ISO 8601; a restart changes it, ``startTime`` stays.
    public var startedAt: String
    /// The process's start in clock ticks since boot.
    public var startTime: UInt64
    /// The boot; null where the process could not see it.
    @Nullable public var bootID: String?
    /// The software's version.
    public var version: String
    /// The doors, joined with commas: `stdio`, `unix`, `http`.
    public var transport: String
    /// The address of the HTTP door; null without one.
    @Nullable public var host: String?
    /// The port of the HTTP door; null without one.
    @Nullable public var port: Int?
    /// The `.env` file that the start recorded.
    @Nullable public var dotenvPath: String?
    /// The configuration file, absolute.
    public var configPath: String
    /// The program's own words. None of its options takes a secret.
    public var argv: [String]
    /// The control socket.
    public var control: String

    enum CodingKeys: String, CodingKey {
        case pid, version, transport, host, port, argv, control
        case startedAt = "started_at"
        case startTime = "start_time"
        case bootID = "boot_id"
        case dotenvPath = "dotenv_path"
        case configPath = "config_path"
    }

    /// Joins the parts.
    public init(
        process: ProcessIdentity, startedAt: String, version: String, transport: String, host: String? = nil,
        port: Int? = nil, dotenvPath: String?, configPath: String, argv: [String], control: String
    ) {
        pid = process.pid
        startTime = process.startTime
        bootID = process.bootID
        self.startedAt = startedAt
        self.version = version
        self.transport = transport
        self.host = host
        self.port = port
        self.dotenvPath = dotenvPath
        self.configPath = configPath
        self.argv = argv
        self.control = control
    }

    /// The process that wrote it.
    public var process: ProcessIdentity { ProcessIdentity(pid: pid, startTime: startTime, bootID: bootID) }

    /// Writes the file, 0600, in one step: beside it first, then by rename.
    public func write(to path: String) throws(ControlError) {
        let text: String
        do {
            text = try ControlJSON.pretty(self) + "\n"
        } catch {
            throw ControlError(.badExchange, "the PID file \(path) cannot be encoded: \(error)")
        }
        let temporary = "\(ControlPlaces.directory(of: path))/.\(ControlPlaces.name(of: path)).\(pid).tmp"
        // Left behind by a process with our number that was killed in between.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open", temporary, errno) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else {
                let number = errno
                close(descriptor)
                unlink(temporary)
                throw .system("write", temporary, number)
            }
            rest = rest.dropFirst(max(0, count))
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw .system("rename", path, number)
        }
    }
}
