import Glibc

/// Why an audit sink can not be opened. Thrown by ``AuditTrail/install(_:)``, which then has changed nothing.
public struct AuditError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of problem it is.
    public enum Code: String, Sendable {
        /// The system refused to open, create or inspect the file or its directory.
        case cannotOpen
        /// The path names something that is not a regular file: a symlink, FIFO, device, socket or directory.
        case notARegularFile
        /// No group has the configured name.
        case unknownGroup
        /// The file's mode or group can not be set.
        case cannotSetAccess
        /// A critical sink can not reserve room for its first records.
        case noSpace
        /// The file holds records of another format and can not be moved away.
        case otherFormat
    }

    /// What kind of problem it is.
    public let code: Code
    /// The sink's file.
    public let path: String
    /// Why, and what helps; lower case.
    public let reason: String

    /// `audit file /var/log/x: reason`.
    public var description: String { "audit file \(path): \(reason)" }
}

/// The system's own words for an errno.
func systemText(_ code: Int32) -> String {
    // strerror answers with a text for every number.
    strerror(code).map { String(cString: $0).lowercased() } ?? "error \(code)"
}
