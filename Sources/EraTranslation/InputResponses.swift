public import JSONRPCWire
public import NIOCore

/// What a modern client's retry answers to the requests embedded in an ``InputRequired`` (basic/patterns/mrtr).
public struct InputResponses: Sendable {
    /// The client's result for each expected key, in their order: the JSON of an object, to be forwarded as `result` of
    /// the legacy upstream's request. `nil` where the client gave none: ask again, with a new state (mrtr, "Error
    /// Handling").
    public let results: [ByteBuffer?]

    /// How many answers a retry may bring, asked for or not.
    public static let maxResponses = 4 * InputRequired.maxRequests

    /// Whether there is an answer to every request.
    public var isComplete: Bool { results.allSatisfy { $0 != nil } }

    /// Whether the request is a retry: it brings answers or a state.
    public static func isRetry(_ message: Message) -> Bool {
        message.scan[.paramsInputResponses].isPresent || message.scan[.paramsRequestState].isPresent
    }

    /// The state that a retry brings along; `nil` where it is absent.
    ///
    /// - Throws: -32602 where it is no string.
    public static func requestState(of message: Message) throws(ProtocolError) -> String? {
        let range = message.scan[.paramsRequestState]
        switch JSONText.kind(of: range, in: message.bytes) {
        case .null: return nil
        case .string:
            if let state = JSONText.string(range, in: message.bytes) { return state }
            throw .invalidParams("params.requestState has a lone surrogate")
        default: throw .invalidParams("params.requestState must be a string")
        }
    }

    /// Reads the answers of a retry. Those that nobody asked for are ignored.
    ///
    /// - Parameter keys: the keys under which the requests were asked.
    /// - Throws: -32602 where the answers are no object, one that was asked for is no object, or comes twice,
    ///   and where there are more than ``maxResponses``.
    public init(of message: Message, expecting keys: [String]) throws(ProtocolError) {
        let bytes = message.bytes
        let map = message.scan[.paramsInputResponses]
        guard [.object, .null].contains(JSONText.kind(of: map, in: bytes)) else {
            throw .invalidParams("params.inputResponses must be an object")
        }
        var results = [ByteBuffer?](repeating: nil, count: keys.count)
        let span = bytes.readableBytesSpan
        var items = ItemCursor(map, in: span)
        var count = 0
        while let (key, value) = items.next(span) {
            count += 1
            guard count <= Self.maxResponses else {
                throw .invalidParams("params.inputResponses has more than \(Self.maxResponses) members")
            }
            guard let name = JSONText.string(key, in: bytes),
                let index = keys.firstIndex(where: { $0.utf8.elementsEqual(name.utf8) })
            else { continue }
            guard results[index] == nil else {
                throw .invalidParams("the key \(ProtocolError.quoted(name)) occurs twice in params.inputResponses")
            }
            guard JSONText.kind(of: value, in: bytes) == .object else {
                throw .invalidParams("params.inputResponses \(ProtocolError.quoted(name)) must be an object")
            }
            results[index] = bytes.piece(value)
        }
        self.results = results
    }
}
