/// Why a door cannot be opened.
public struct DoorError: Error, CustomStringConvertible {
    /// What went wrong.
    public enum Code: Sendable {
        case pathTooLong, notASocket, alreadyServed, systemCall, unknownGroup
    }

    /// The kind.
    public let code: Code
    /// Names the path, the value and the remedy.
    public let description: String

    static func system(_ call: String, _ path: String, _ number: Int32) -> DoorError {
        DoorError(code: .systemCall, description: "\(call) \(path): \(String(cString: strerror(number)))")
    }
}

internal import Glibc
