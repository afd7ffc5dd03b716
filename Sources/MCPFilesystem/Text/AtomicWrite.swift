internal import Glibc

/// Writing a file so that every reader finds the old content or the new, never a part.
enum AtomicWrite {
    /// What of a replaced file's mode is kept. Not setuid and setgid: writing clears them, too (inode(7)).
    private static let keptMode: UInt32 = 0o1777

    /// Puts `content` in the place of the entry, new or not: a temporary file in the same directory, then a rename.
    ///
    /// An existing file must be regular and writable by us; its permissions and owner are kept.
    static func write(_ content: [UInt8], to entry: borrowing DirectoryEntry) throws(FilesystemError) {
        let old = try writable(entry)
        let name = ".mcp-filesystem-\(String(UInt64.random(in: .min ... .max), radix: 16)).tmp"
        let temporary: Descriptor
        do throws(SystemFailure) {
            let flags = O_WRONLY | O_CREAT | O_EXCL
            temporary = try entry.parent.openBeneath(name, flags, mode: old == nil ? 0o666 : 0o600, followsLinks: false)
        } catch {
            throw error.error(entry.given, "write")
        }
        do throws(FilesystemError) {
            try fill(temporary, with: content, like: old, given: entry.given)
            guard renameat(entry.parent.number, name, entry.parent.number, entry.name) == 0 else {
                throw FilesystemError.system(entry.given, errno, "write")
            }
        } catch {
            // The write's own error is the one to report.
            _ = unlinkat(entry.parent.number, name, 0)
            throw error
        }
    }

    /// The file that is there, which we may write; `nil` when there is none.
    private static func writable(_ entry: borrowing DirectoryEntry) throws(FilesystemError) -> FileInformation? {
        guard let found = try entry.information() else { return nil }
        try found.expectFile(entry.given)
        // The rename would replace a file that is protected against writing: so ask as an ordinary write would.
        let descriptor = try entry.open(O_WRONLY | O_NONBLOCK, "write")
        let information = try descriptor.information(entry.given, "write")
        try information.expectFile(entry.given)
        return information
    }

    private static func fill(
        _ file: borrowing Descriptor, with content: [UInt8], like old: FileInformation?, given: String
    ) throws(FilesystemError) {
        var written = 0
        while written < content.count {
            let count = content.withUnsafeBytes { bytes in
                Glibc.write(file.number, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system(given, errno, "write") }
            written += count
        }
        if let old {
            try keep(old, on: file, given: given)
        }
        // Without it a power loss could leave an empty file under the name (ext4's delayed allocation).
        guard fsync(file.number) == 0 else { throw .system(given, errno, "write") }
    }

    private static func keep(
        _ old: FileInformation, on file: borrowing Descriptor, given: String
    ) throws(FilesystemError) {
        let new = try file.information(given, "write")
        if new.owner != old.owner || new.group != old.group {
            guard fchown(file.number, old.owner, old.group) == 0 else {
                throw FilesystemError(
                    .system,
                    "cannot write \"\(given)\": it belongs to user \(old.owner), group \(old.group), which could not "
                        + "be kept; run this server as that user")
            }
        }
        guard fchmod(file.number, old.permissions & keptMode) == 0 else { throw .system(given, errno, "write") }
    }
}
