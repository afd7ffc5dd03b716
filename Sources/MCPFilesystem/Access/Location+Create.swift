internal import COpenAt2
internal import Glibc

extension Location {
    /// Makes the directory and those above it that are missing.
    ///
    /// Each is made by its name in a directory that is held open, and then looked up again from the allowed directory
    /// on, so that a link which somebody put in between cannot lead out.
    func createDirectories() throws(FilesystemError) {
        do throws(SystemFailure) {
            try descend()
        } catch {
            throw error.number == EEXIST
                ? FilesystemError(.exists, "\"\(given)\" leads through something that is no directory")
                : error.error(given, "create")
        }
    }

    private func descend() throws(SystemFailure) {
        let parts = PathText.components(relative)
        var parent = try directory.descriptor.openBeneath(".", copenat2_path | O_DIRECTORY)
        for (index, name) in parts.enumerated() {
            parent = try step(name, in: parent, path: parts[...index].joined(separator: "/"))
        }
    }

    private func step(
        _ name: String, in parent: borrowing Descriptor, path: String
    ) throws(SystemFailure) -> Descriptor {
        do throws(SystemFailure) {
            return try directory.descriptor.openBeneath(path, copenat2_path | O_DIRECTORY)
        } catch {
            guard error.number == ENOENT else { throw error }
        }
        // EEXIST: made by another just now, or a link that leads nowhere; looking again tells.
        guard mkdirat(parent.number, name, 0o777) == 0 || errno == EEXIST else { throw SystemFailure(number: errno) }
        return try directory.descriptor.openBeneath(path, copenat2_path | O_DIRECTORY)
    }
}
