/// Why the door cannot be opened.
public struct HTTPDoorError: Error, CustomStringConvertible {
    /// Names the address and the cause.
    public let description: String
}
