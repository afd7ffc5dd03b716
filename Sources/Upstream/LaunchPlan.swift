/// What to start, completely: nothing of the gateway's own environment is added.
public struct LaunchPlan: Sendable, Hashable {
    /// As the operator wrote it. Without a slash it is looked up in the `PATH` of ``environment``; a relative path is
    /// taken from ``workingDirectory``. Also the child's `argv[0]`.
    public var program: String
    /// Without the program's own name.
    public var arguments: [String]
    /// The child's whole environment. May hold secrets: never logged.
    public var environment: [String: String]
    /// Absolute.
    public var workingDirectory: String

    /// Joins a plan's parts.
    public init(program: String, arguments: [String], environment: [String: String], workingDirectory: String) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }

    /// Where a program without a slash is looked for. An environment without `PATH` means what execvp would assume.
    var searchPath: String { environment["PATH"] ?? "/bin:/usr/bin" }

    /// The environment as execve takes it, in a stable order.
    var environmentLines: [String] {
        environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// What C strings cannot carry, or nil: a NUL byte would silently cut a value, a `=` in a name would move it.
    var unrepresentable: String? {
        if program.isEmpty { return "the program's name is empty" }
        if ([program, workingDirectory] + arguments).contains(where: { $0.utf8.contains(0) }) {
            return "the command or working directory holds a NUL byte"
        }
        for (name, value) in environment where name.isEmpty || (name + value).utf8.contains(0) || name.contains("=") {
            return "the environment variable '\(name)' holds a NUL byte, or its name is empty or holds '='"
        }
        return nil
    }
}
