import Glibc

extension LoadedConfiguration {
    /// What is wrong with the upstream's program on this machine, for `check` and the start; nil when it can be found
    /// and is not the gateway itself. Looks at the disk, starts nothing.
    ///
    /// - Parameter ownExecutable: the path of the running program (`/proc/self/exe` will do).
    public func programProblem(ownExecutable: String) -> ConfigurationProblem? {
        guard let program = settings.upstream.command.first else { return nil }
        let name = printable(settings.upstream.commandAsWritten.first ?? program)
        func problem(_ message: String) -> ConfigurationProblem {
            ConfigurationProblem(
                file: source.config.path, line: commandPosition?.line, column: commandPosition?.column, message: message
            )
        }
        let searchPath = upstreamEnvironment()["PATH"]
        guard let found = Self.find(program, searchPath: searchPath, directory: settings.upstream.workingDirectory)
        else {
            let place = program.contains("/") ? "is no program that can be run" : "is not found in PATH"
            let remedy = Self.packages[program] ?? "install it or name its full path"
            return problem("the upstream's '\(name)' \(place); \(remedy)")
        }
        guard Self.isSameFile(found, ownExecutable) else { return nil }
        return problem(
            "the upstream's '\(name)' is \(printable(found)), which is this gateway itself (\(printable(ownExecutable))); "
                + "name the other program by its full path")
    }

    /// Where the usual launchers of MCP servers come from on Debian; `uv` comes by pipx on every release of it.
    private static let packages = [
        "npx": "install Debian's package npm", "npm": "install Debian's package npm",
        "node": "install Debian's package nodejs", "python3": "install Debian's package python3",
        "uvx": "install Debian's package pipx, then run: pipx install uv",
        "uv": "install Debian's package pipx, then run: pipx install uv",
    ]

    /// As execvp(3) looks: a name with a slash is a path, every other is sought in `searchPath`.
    private static func find(_ program: String, searchPath: String?, directory: String?) -> String? {
        let base = directory ?? ConfigurationSearch.workingDirectory()
        func absolute(_ path: String) -> String {
            path.hasPrefix("/") ? path : "\(base)/\(path)"
        }
        if program.contains("/") {
            return isExecutable(absolute(program)) ? absolute(program) : nil
        }
        // An empty part of PATH is the working directory; an absent PATH is the system's default.
        return (searchPath ?? "/bin:/usr/bin").split(separator: ":", omittingEmptySubsequences: false)
            .map { absolute($0.isEmpty ? program : "\($0)/\(program)") }
            .first(where: isExecutable)
    }

    private static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    private static func isSameFile(_ left: String, _ right: String) -> Bool {
        var first = stat()
        var second = stat()
        return stat(left, &first) == 0 && stat(right, &second) == 0 && first.st_dev == second.st_dev
            && first.st_ino == second.st_ino
    }
}
