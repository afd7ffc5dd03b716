public import JSONRPCWire
public import NIOCore

/// A result that asks for more before the request can be answered (basic/patterns/mrtr, "InputRequiredResult").
public struct InputRequired: Sendable {
    /// One embedded request.
    public struct Request: Hashable, Sendable {
        /// The server's name for it, as JSON string with its quotes, to be sent back as it stands.
        public let key: ByteBuffer
        /// What is asked.
        public let request: ServerRequest
    }

    /// How many requests one result may embed.
    public static let maxRequests = 64

    /// What the client is to answer, in the order of the message; empty where the upstream just wants a retry.
    public let requests: [Request]
    /// What the retry must bring along, as JSON string with its quotes; `nil` for nothing.
    public let requestState: ByteBuffer?

    /// Reads an upstream's response for which ``ResultTranslation/kind(of:)`` is
    /// ``ResultTranslation/Kind/inputRequired``.
    ///
    /// - Throws: -32603 with `data.reason` `malformed_result`, to be told to the client whose request this answers:
    ///   for a wrong shape, a method that is none of the three, a key that occurs twice, more than ``maxRequests``, or
    ///   neither requests nor state.
    public init(of message: Message) throws(ProtocolError) {
        let bytes = message.bytes
        let state = message.scan[.resultRequestState]
        switch JSONText.kind(of: state, in: bytes) {
        case .string: requestState = bytes.piece(state)
        case .null: requestState = nil
        default: throw Self.malformed("requestState must be a string")
        }
        let map = message.scan[.resultInputRequests]
        guard [.object, .null].contains(JSONText.kind(of: map, in: bytes)) else {
            throw Self.malformed("inputRequests must be an object")
        }
        var requests: [Request] = []
        var keys: Set<[UInt8]> = []
        let span = bytes.readableBytesSpan
        var items = ItemCursor(map, in: span)
        while let (key, value) = items.next(span) {
            guard requests.count < Self.maxRequests else {
                throw Self.malformed("more than \(Self.maxRequests) inputRequests")
            }
            guard let name = JSONText.string(key, in: bytes) else {
                throw Self.malformed("a key of inputRequests has a lone surrogate")
            }
            guard keys.insert(Array(name.utf8)).inserted else {
                throw Self.malformed("the key \(ProtocolError.quoted(name)) occurs twice in inputRequests")
            }
            let request = try Self.request(value, of: bytes)
            requests.append(Request(key: bytes.piece(key), request: request))
        }
        guard !requests.isEmpty || requestState != nil else {
            throw Self.malformed("neither inputRequests nor requestState")
        }
        self.requests = requests
    }

    private static func request(_ range: ByteRange, of bytes: ByteBuffer) throws(ProtocolError) -> ServerRequest {
        var method = ByteRange.absent
        var params = ByteRange.absent
        let span = bytes.readableBytesSpan
        var items = ItemCursor(range, in: span)
        while let (key, value) = items.next(span) {
            let isMethod = JSONText.equals(key, "method", in: bytes)
            guard isMethod || JSONText.equals(key, "params", in: bytes) else { continue }
            // Two readers could take it for two different requests.
            guard !(isMethod ? method : params).isPresent else {
                throw malformed("an embedded request has method or params twice")
            }
            if isMethod { method = value } else { params = value }
        }
        return try ServerRequest(
            method: method, params: params, of: bytes,
            unknownMethod: { malformed("an embedded request has the method \(ProtocolError.quoted($0))") },
            malformed: { malformed($0) })
    }

    private static func malformed(_ what: String) -> ProtocolError {
        .malformedResult("the upstream's input_required result is malformed: \(what)")
    }
}

extension InputRequired {
    /// The result that asks a modern client what a legacy upstream asks.
    ///
    /// Ask only what the client has declared (``RequestEnvelope/require(_:)``), and only in answer to a method for which
    /// ``ModernProtocol/mayNeedInput(_:)`` holds.
    ///
    /// - Parameters:
    ///   - requests: at least one unless there is a state, each with a key that no other has.
    ///   - requestState: what ``RequestStateKeys/issue(_:at:)`` gave.
    /// - Returns: the JSON of `result`.
    public static func result(
        asking requests: [(key: String, request: ServerRequest)], requestState: String?
    ) -> ByteBuffer {
        var map = ObjectText(capacity: 128 + requests.reduce(0) { $0 + ($1.request.params?.readableBytes ?? 0) + 96 })
        for (key, request) in requests {
            var quoted = ByteBuffer()
            JSONText.appendQuoted(key, to: &quoted)
            var embedded = ObjectText(capacity: (request.params?.readableBytes ?? 0) + 64)
            embedded.member("method", string: request.method.rawValue)
            if let params = request.modernParams { embedded.member("params", json: params) }
            map.member(quotedName: quoted, json: embedded.finished())
        }
        var text = ObjectText(capacity: map.bytes.readableBytes + (requestState?.utf8.count ?? 0) + 96)
        text.member("resultType", json: #""input_required""#)
        if !map.isEmpty { text.member("inputRequests", json: map.finished()) }
        if let requestState { text.member("requestState", string: requestState) }
        return text.finished()
    }
}
