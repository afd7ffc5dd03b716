internal import Glibc

/// Whether what is written to a descriptor lands in the journal as lines, so that native entries say the same better.
public enum JournalStream {
    /// Whether stderr is the stream that systemd connected to the journal: `$JOURNAL_STREAM` holds its device and inode.
    /// Nothing else counts, since the variable is inherited by children whose stderr goes elsewhere. systemd.exec(5).
    public static func isStderr(_ environment: [String: String]) -> Bool {
        isJournal(STDERR_FILENO, environment)
    }

    static func isJournal(_ descriptor: Int32, _ environment: [String: String]) -> Bool {
        guard let parts = environment["JOURNAL_STREAM"]?.split(separator: ":", omittingEmptySubsequences: false),
            parts.count == 2, let device = UInt64(parts[0]), let inode = UInt64(parts[1])
        else { return false }
        var info = stat()
        return fstat(descriptor, &info) == 0 && UInt64(info.st_dev) == device && UInt64(info.st_ino) == inode
    }
}
