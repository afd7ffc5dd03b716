/// What the scanner refuses, with the answer that JSON-RPC prescribes for it.
public struct Rejection: Error, Hashable, Sendable {
    /// `-32700` when the text is no JSON, `-32600` when it is JSON but no message we take.
    public var code: Int
    /// Why, in lower case, as a fixed text that never quotes the message.
    public var reason: String
    /// The byte at which the scanner noticed.
    public var offset: Int
    /// The message's own id, where one could be read safely; else ``ByteRange/absent`` (answer with id null).
    public var id: ByteRange
    /// Whether the message is a response, to which no error is ever sent.
    public var isResponse: Bool

    /// Joins a refusal's parts.
    public init(code: Int, reason: String, offset: Int, id: ByteRange = .absent, isResponse: Bool = false) {
        self.code = code
        self.reason = reason
        self.offset = offset
        self.id = id
        self.isResponse = isResponse
    }
}

/// What one line holds.
public enum ScanOutcome: Sendable {
    /// A single message.
    case message(MessageScan)
    /// A JSON array: the ranges of its elements, each to be scanned alone. Never empty.
    case batch([ByteRange])
    /// Nothing that may pass.
    case rejected(Rejection)
}
