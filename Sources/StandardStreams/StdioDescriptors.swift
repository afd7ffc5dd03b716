internal import Glibc

/// Our stdin and stdout, moved out of harm's way: whatever prints by mistake lands on stderr, never between protocol
/// lines.
public struct StdioDescriptors: Sendable {
    /// Where the client's messages come from.
    public let input: Int32
    /// Where answers go.
    public let output: Int32

    /// Moves both. Call once, before anything else may print. nil when stdin or stdout is closed.
    public static func protect() -> StdioDescriptors? {
        let input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
        let output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard input >= 0, output >= 0 else { return nil }
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        if null >= 0 {
            dup2(null, STDIN_FILENO)
            close(null)
        }
        dup2(STDERR_FILENO, STDOUT_FILENO)
        return StdioDescriptors(input: input, output: output)
    }
}
