internal import Glibc

/// Why a tool, or the server's start, failed: what the caller is told, in full.
///
/// The message names a path only as the caller gave it, or one inside an allowed directory; never where a link leads.
public struct FilesystemError: Error, Hashable, Sendable {
    /// The reasons that are told apart.
    public enum Code: Hashable, Sendable {
        /// The path leads out of the allowed directories.
        case outside
        /// Nothing is there.
        case missing
        /// Something is there that must not be.
        case exists
        /// What is there is of the wrong kind: a directory, a link, a device.
        case wrongKind
        /// A cap was passed.
        case tooLarge
        /// The file is not UTF-8.
        case notText
        /// The call's arguments are not what the tool takes.
        case invalidArgument
        /// The system refused for another reason.
        case system
        /// The kernel cannot confine paths.
        case unsupported
    }

    /// Which kind of failure it is.
    public let code: Code
    /// What happened, to what, and where there is one the remedy; lower case.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// A path that begins outside.
    static func outside(_ path: String) -> FilesystemError {
        FilesystemError(
            .outside, "\"\(path)\" is outside the allowed directories; list_allowed_directories names them")
    }

    /// A failed system call on `path`; `number` is the errno, positive or negative.
    static func system(_ path: String, _ number: Int32, _ action: String) -> FilesystemError {
        switch abs(number) {
        case ENOENT: FilesystemError(.missing, "\"\(path)\" does not exist")
        case EXDEV:
            FilesystemError(
                .outside,
                "\"\(path)\" leads outside the allowed directories, by .. or by a symbolic link (an absolute one is never "
                    + "followed); list_allowed_directories names them")
        case EEXIST: FilesystemError(.exists, "\"\(path)\" exists already")
        case EISDIR: FilesystemError(.wrongKind, "\"\(path)\" is a directory")
        case ENOTDIR: FilesystemError(.wrongKind, "\"\(path)\" is not a directory, or has a file among its parents")
        case ELOOP: FilesystemError(.wrongKind, "\"\(path)\" has a symbolic link that cannot be followed")
        case EAGAIN:
            FilesystemError(.system, "\"\(path)\" kept being renamed while it was looked up; try again")
        case let number:
            FilesystemError(.system, "cannot \(action) \"\(path)\": \(String(cString: strerror(number)))")
        }
    }

    static func invalid(_ message: String) -> FilesystemError {
        FilesystemError(.invalidArgument, message)
    }
}
