/// What a command prints and how it exits: 0 done, 1 refused or failed, 3 not running.
public struct CommandResult: Hashable, Sendable {
    /// The exit code.
    public var code: Int32
    /// For stdout; empty or lines.
    public var output: String
    /// For stderr; empty or lines.
    public var errors: String

    init(code: Int32, output: String = "", errors: String = "") {
        self.code = code
        self.output = output
        self.errors = PlainText.safe(errors)
    }

    init(_ error: ControlError) {
        self.init(code: error.code == .notRunning ? 3 : 1, errors: "\(error)\n")
    }
}

/// Which instance a command means, and what the program is called.
public struct InstanceSelection: Hashable, Sendable {
    /// Where to look.
    public var places: ControlPlaces
    /// `--config`: selects by configuration file; nil takes the only one.
    public var config: String?
    /// The name that the command was called by: `gatekit` or `zscaler-mcp`.
    public var program: String

    /// Joins the parts.
    /// - Parameter config: absolute, or relative to the process's working directory.
    public init(places: ControlPlaces, config: String?, program: String) {
        self.places = places
        self.config = config.map(Instances.resolved)
        self.program = program
    }

    /// The only instance that fits.
    func find() throws(ControlError) -> Instance {
        try Instances.search(places).only(config: config)
    }
}

extension Instance {
    /// How long a gateway may take to answer what needs no work: its loop is never busy for more than milliseconds.
    static var answerTime: UInt64 { 5_000_000_000 }

    /// A connection to its control channel, and its status.
    func connect() throws(ControlError) -> (ControlClient, StatusReport) {
        do throws(ControlError) {
            let client = try ControlClient(file.control)
            let status = try client.status(until: ControlTime.monotonic() + Self.answerTime)
            guard status.pid == file.pid else {
                throw ControlError(
                    .badExchange, "\(file.control) belongs to pid \(status.pid), \(path) to pid \(file.pid)")
            }
            return (client, status)
        } catch {
            switch error.code {
            case .notPermitted:
                let owner = ProcessIdentity.user(of: file.pid).map { "uid \($0)" } ?? "another user"
                throw ControlError(
                    .notPermitted, "pid \(file.pid) belongs to \(owner); run this as root or as that user (\(error))")
            case .badExchange: throw error
            default:
                throw ControlError(
                    error.code,
                    "pid \(file.pid) is running but does not answer: it may be starting or ending (\(error))")
            }
        }
    }

    /// Whether the process has ended, with a moment's patience for one that is about to.
    var hasEnded: Bool { process.waitForExit(until: ControlTime.monotonic() + 1_000_000_000) }
}
