/// Why an instance could not be found, asked or signalled. Messages are lower case and name what was tried.
public struct ControlError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What a person reads.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
