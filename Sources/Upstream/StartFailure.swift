import Glibc

/// Why a program could not be started. Nothing of it ran; a program that ran and ended is an ``ExitStatus``.
public struct StartFailure: Error, Sendable, Hashable {
    /// The step that failed.
    public enum Stage: Sendable, Hashable {
        /// The plan itself cannot be handed to the kernel; `reason` says why.
        case plan(reason: String)
        /// No such program, or none that may be executed.
        case lookup
        /// The program is the gateway itself, which would start itself without end; `path` is the running one.
        case ownExecutable(path: String)
        /// The working directory cannot be entered.
        case workingDirectory
        /// The kernel refused to execute the file.
        case execution
        /// Descriptors, processes or the like ran out.
        case resources
        /// The child could not be given its own group, parent-death signal, descriptors or signals.
        case isolation
        /// The group watcher cannot be told, so the program would not end with the gateway.
        case watcher
        /// The spawn thread is not running.
        case spawnThread
    }

    /// As the operator wrote it.
    public var program: String
    /// What ``program`` was resolved to, if it was.
    public var path: String?
    /// The child's `PATH`.
    public var searchPath: String
    /// Where the child was to run.
    public var workingDirectory: String
    /// The step that failed.
    public var stage: Stage
    /// What the kernel said; 0 when it was not asked.
    public var errno: Int32

    init(_ plan: LaunchPlan, path: String? = nil, stage: Stage, errno: Int32 = 0) {
        program = plan.program
        self.path = path
        searchPath = plan.searchPath
        workingDirectory = plan.workingDirectory
        self.stage = stage
        self.errno = errno
    }
}

extension StartFailure: CustomStringConvertible {
    /// One line for the log, the audit and the client: what cannot be started, why, and what to do.
    public var description: String { "upstream program '\(program)' cannot be started: \(reason)" }

    private var reason: String {
        switch stage {
        case .plan(let reason):
            return "\(reason); correct proxy.upstream"
        case .lookup:
            return lookupReason
        case .ownExecutable(let running):
            return "'\(path ?? program)' is this gateway itself ('\(running)'); "
                + "give the absolute path of the upstream's own program"
        case .workingDirectory:
            return "working directory '\(workingDirectory)': \(errorText); "
                + "set proxy.upstream.cwd to a directory that exists and may be entered"
        case .execution:
            return executionReason
        case .resources:
            return "\(errorText); raise the limits on processes and open files"
        case .isolation:
            return "it cannot be isolated from the gateway: \(errorText); "
                + "this needs Linux 5.9, and a seccomp profile that permits close_range"
        case .watcher:
            return "the group watcher cannot be reached: \(errorText); restart the gateway"
        case .spawnThread:
            return "the gateway is shutting down"
        }
    }

    private var lookupReason: String {
        let isPath = program.contains("/")
        if errno == EACCES {
            return "'\(path ?? program)' is not an executable file; make it one with chmod +x, or name another program"
        }
        let place =
            isPath
            ? "'\(path ?? program)': \(errorText) (relative paths start at '\(workingDirectory)')"
            : "not found in PATH (\(searchPath))"
        return "\(place); \(Self.installation(of: program) ?? "install it, or correct proxy.upstream.command")"
    }

    private var executionReason: String {
        let path = path ?? program
        switch errno {
        case ENOENT:
            return "'\(path)' exists, but the interpreter that it needs does not; install the one in its first line"
        case ENOEXEC:
            return "'\(path)' is no program for this machine; a script needs a first line such as #!/bin/sh"
        case E2BIG:
            return "its arguments and environment are too long; shorten proxy.upstream.command or env"
        default:
            return "'\(path)': \(errorText); check its permissions and its file system's noexec option"
        }
    }

    private var errorText: String {
        let text = String(cString: strerror(errno))
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// How Debian brings the programs that MCP servers are started with.
    private static func installation(of program: String) -> String? {
        switch program.split(separator: "/").last.map(String.init) {
        case "npx", "npm": "install the Debian package npm"
        case "node": "install the Debian package nodejs"
        case "python3": "install the Debian package python3"
        case "python": "install the Debian package python-is-python3, or write python3"
        case "pipx": "install the Debian package pipx"
        case "uvx", "uv": "install uv: the Debian package pipx brings it with 'pipx install uv'"
        case "docker": "install the Debian package docker.io"
        default: nil
        }
    }
}
