import Glibc

/// Finds the file that a plan's program means, as execvp would with the child's own `PATH` and directory.
///
/// Done before the fork and not by execvp in the child, so that a failure can say what was looked for, the gateway
/// never starts itself, and no shell is ever tried on a file that the kernel refuses.
struct ProgramLookup {
    /// What the gateway itself runs from; another path only in tests.
    var ownExecutable = "/proc/self/exe"

    /// The path to execute, or why there is none. Touches the file system.
    func resolve(_ plan: LaunchPlan) throws(StartFailure) -> String {
        if let reason = plan.unrepresentable { throw StartFailure(plan, stage: .plan(reason: reason)) }
        let directory = status(of: plan.workingDirectory)
        guard let directory else { throw StartFailure(plan, stage: .workingDirectory, errno: Glibc.errno) }
        guard directory.st_mode & S_IFMT == S_IFDIR else {
            throw StartFailure(plan, stage: .workingDirectory, errno: ENOTDIR)
        }
        var refused: (path: String, errno: Int32)?
        for candidate in candidates(plan) {
            guard let file = status(of: candidate) else {
                // Like execvp, go on looking, but remember that there was more than nothing.
                if plan.program.contains("/") { refused = (candidate, Glibc.errno) }
                continue
            }
            guard file.st_mode & S_IFMT == S_IFREG, access(candidate, X_OK) == 0 else {
                refused = refused ?? (candidate, EACCES)
                continue
            }
            if isOwn(file) {
                throw StartFailure(plan, path: candidate, stage: .ownExecutable(path: target(of: ownExecutable)))
            }
            return candidate
        }
        throw StartFailure(plan, path: refused?.path, stage: .lookup, errno: refused?.errno ?? ENOENT)
    }

    private func candidates(_ plan: LaunchPlan) -> [String] {
        if plan.program.contains("/") { return [absolute(plan.program, in: plan.workingDirectory)] }
        return plan.searchPath.split(separator: ":", omittingEmptySubsequences: false).map { entry in
            // An empty entry is the working directory.
            let folder = entry.isEmpty ? plan.workingDirectory : absolute(String(entry), in: plan.workingDirectory)
            return folder.hasSuffix("/") ? folder + plan.program : "\(folder)/\(plan.program)"
        }
    }

    private func absolute(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") ? path : "\(directory)/\(path)"
    }

    /// Without `/proc` (a bare chroot) nothing can be compared; that only loses the guard against a loop.
    private func isOwn(_ file: stat) -> Bool {
        guard let own = status(of: ownExecutable) else { return false }
        return own.st_dev == file.st_dev && own.st_ino == file.st_ino
    }

    private func status(of path: String) -> stat? {
        var result = stat()
        return stat(path, &result) == 0 ? result : nil
    }

    private func target(of link: String) -> String {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &bytes, bytes.count)
        guard count > 0 else { return link }
        return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
