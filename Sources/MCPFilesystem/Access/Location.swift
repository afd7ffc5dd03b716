internal import COpenAt2
internal import Glibc

/// A caller's path: which allowed directory it begins with, and the way on from there. Nothing has been looked up.
struct Location {
    let directory: AllowedDirectory
    /// The directory's name by which the path begins.
    let name: String
    /// Relative to the directory, never empty; may hold `..` and lead anywhere, which opening then refuses.
    let relative: String
    /// The path as the caller gave it, for messages.
    let given: String

    /// The absolute path, for results.
    var path: String { PathText.joined(name, relative) }

    /// Opens it; links are followed as long as they stay inside.
    func open(_ flags: Int32, _ action: String) throws(FilesystemError) -> Descriptor {
        do throws(SystemFailure) {
            return try directory.descriptor.openBeneath(relative, flags)
        } catch {
            throw error.error(given, action)
        }
    }

    /// About what is there, behind links.
    func information() throws(FilesystemError) -> FileInformation {
        try open(copenat2_path, "look up").information(given, "look up")
    }

    /// Opens the directory that holds the entry, and names the entry: a link there is not followed.
    func entry(_ action: String) throws(FilesystemError) -> DirectoryEntry {
        let (parent, name) = try split(relative)
        do throws(SystemFailure) {
            let opened = try directory.descriptor.openBeneath(parent, copenat2_path | O_DIRECTORY)
            return DirectoryEntry(parent: opened, name: name, given: given)
        } catch {
            throw error.error(given, action)
        }
    }

    /// Like ``entry(_:)``, but when the entry is a link it goes on to what the link names, as long as that is inside;
    /// the last one found need not exist.
    func target(_ action: String) throws(FilesystemError) -> DirectoryEntry {
        var relative = relative
        // As many links as the kernel follows (path_resolution(7)).
        for _ in 0..<40 {
            let (parent, name) = try split(relative)
            do throws(SystemFailure) {
                let opened = try directory.descriptor.openBeneath(parent, copenat2_path | O_DIRECTORY)
                guard let link = try Self.link(name, in: opened) else {
                    return DirectoryEntry(parent: opened, name: name, given: given)
                }
                guard link.utf8.first != UInt8(ascii: "/") else { throw SystemFailure(number: EXDEV) }
                relative = PathText.joined(parent, PathText.normalised(link))
            } catch {
                throw error.error(given, action)
            }
        }
        throw .system(given, ELOOP, action)
    }

    /// What the entry links to; `nil` when it is no link or not there.
    private static func link(_ name: String, in parent: borrowing Descriptor) throws(SystemFailure) -> String? {
        var bytes = [UInt8](repeating: 0, count: AllowedDirectories.maxPathBytes + 1)
        let count = readlinkat(parent.number, name, &bytes, bytes.count)
        guard count >= 0 else {
            // EINVAL: there is something that is no link.
            if errno == EINVAL || errno == ENOENT { return nil }
            throw SystemFailure(number: errno)
        }
        guard count < bytes.count, let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw SystemFailure(number: ELOOP)
        }
        return text
    }

    private func split(_ relative: String) throws(FilesystemError) -> (parent: String, name: String) {
        var parts = PathText.components(relative)
        guard let name = parts.popLast(), !PathText.isEqual(name, "..") else {
            throw FilesystemError(.wrongKind, "\"\(given)\" names no entry of a directory; end the path with a name")
        }
        return (parts.isEmpty ? "." : parts.joined(separator: "/"), name)
    }
}

/// An entry of a directory that is held open, so that nobody can put another directory in between.
struct DirectoryEntry: ~Copyable {
    let parent: Descriptor
    /// One component, never `.` or `..`.
    let name: String
    /// The path as the caller gave it, for messages.
    let given: String

    /// About the entry itself; `nil` when there is none.
    func information() throws(FilesystemError) -> FileInformation? {
        do throws(SystemFailure) {
            return try parent.information(of: name)
        } catch {
            if error.number == ENOENT { return nil }
            throw error.error(given, "look up")
        }
    }

    /// Opens the entry itself; fails when it is a link.
    func open(_ flags: Int32, mode: UInt32 = 0, _ action: String) throws(FilesystemError) -> Descriptor {
        do throws(SystemFailure) {
            return try parent.openBeneath(name, flags, mode: mode, followsLinks: false)
        } catch {
            throw error.error(given, action)
        }
    }
}
