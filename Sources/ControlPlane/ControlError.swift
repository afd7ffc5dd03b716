internal import Glibc

/// Why an instance could not be found, asked or signalled, or why one may not start. Messages are lower case and name
/// what was tried and the remedy.
public struct ControlError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: Hashable, Sendable {
        /// No instance where one was looked for.
        case notRunning
        /// Several instances fit.
        case several
        /// Another instance holds the PID file that this one would take.
        case alreadyRunning
        /// No directory takes a PID file.
        case noPlace
        /// The caller is neither root nor the owner.
        case notPermitted
        /// A file is not what it should be.
        case notOurs
        /// The instance does not do what was asked, and says why.
        case refused
        /// A deadline passed.
        case timedOut
        /// The instance ended, or closed the control channel, before it answered.
        case ended
        /// The other end said something that is not the protocol, or refused a request.
        case badExchange
        /// A system call failed.
        case systemCall
    }

    /// The kind.
    public let code: Code
    /// What a person reads.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func system(_ call: String, _ path: String, _ number: Int32) -> ControlError {
        let isDenied = number == EACCES || number == EPERM
        return ControlError(
            isDenied ? .notPermitted : .systemCall, "\(call) \(path): \(String(cString: strerror(number)))")
    }
}
