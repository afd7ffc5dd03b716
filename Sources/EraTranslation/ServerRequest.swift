public import JSONRPCWire
public import NIOCore

/// What a server asks a client: a request of its own in the legacy era, embedded in an ``InputRequired`` in the modern.
public struct ServerRequest: Hashable, Sendable {
    /// The three requests that both eras know.
    public enum Method: String, CaseIterable, Sendable {
        /// Asks the client's model.
        case sampling = "sampling/createMessage"
        /// Asks the user.
        case elicitation = "elicitation/create"
        /// Asks for directories.
        case roots = "roots/list"
    }

    /// What is asked.
    public let method: Method
    /// The JSON object of its params; `nil` where there are none (only ``Method/roots``).
    public let params: ByteBuffer?

    /// Joins the two; `params` must be a JSON object.
    public init(method: Method, params: ByteBuffer?) {
        self.method = method
        self.params = params
    }

    /// Reads a request of a legacy upstream.
    ///
    /// - Throws: -32601 for a method that no modern client can be asked (`ping` is the gateway's to answer), -32602 for
    ///   missing params.
    public init(of message: Message) throws(ProtocolError) {
        let params = message.scan[.params]
        try self.init(
            method: message.scan[.method], params: params, of: message.bytes, unknownMethod: { .methodNotFound($0) },
            malformed: { .invalidParams($0) })
    }

    /// What a client must have declared to be asked this.
    public var features: ClientFeatures {
        switch method {
        case .roots: .roots
        case .elicitation: isURLElicitation ? .elicitationURL : .elicitationForm
        case .sampling: has("tools") || has("toolChoice") ? [.sampling, .samplingTools] : .sampling
        }
    }

    init(
        method: ByteRange, params: ByteRange, of bytes: ByteBuffer, unknownMethod: (String) -> ProtocolError,
        malformed: (String) -> ProtocolError
    ) throws(ProtocolError) {
        let found = Method.allCases.first { $0.isNamed(by: method, in: bytes) }
        guard let found else { throw unknownMethod(JSONText.string(method, in: bytes) ?? "") }
        switch JSONText.kind(of: params, in: bytes) {
        case .object: self.init(method: found, params: bytes.piece(params))
        case .null where found == .roots: self.init(method: found, params: nil)
        default: throw malformed("\(found.rawValue) must have params, an object")
        }
    }

    private var isURLElicitation: Bool {
        guard let params else { return false }
        let mode = JSONText.member("mode", of: params.whole, in: params)
        return mode.isPresent && JSONText.equals(mode, "url", in: params)
    }

    private func has(_ name: String) -> Bool {
        guard let params else { return false }
        return JSONText.kind(of: JSONText.member(name, of: params.whole, in: params), in: params) != .null
    }
}

extension ServerRequest {
    /// The params for a modern client: without what only a request of its own has, the task that 2025-11-25 could make
    /// of it and a progress token, and without `elicitationId`, which is gone (changelog, minor change 11).
    var modernParams: ByteBuffer? {
        guard let params else { return nil }
        let dropsID = method == .elicitation
        var text = ObjectText(capacity: params.readableBytes)
        text.copy(params.whole, of: params) { key, value in
            if JSONText.equals(key, "task", in: params) { return .drop }
            if dropsID, JSONText.equals(key, "elicitationId", in: params) { return .drop }
            guard JSONText.equals(key, "_meta", in: params) else { return .keep }
            var meta = ObjectText(capacity: value.count)
            meta.copy(value, of: params) { key, _ in
                JSONText.equals(key, "progressToken", in: params) ? .drop : .keep
            }
            return meta.isEmpty ? .drop : .replace(meta.finished())
        }
        return text.finished()
    }

    /// The params for a legacy client: as they are, but for the `elicitationId` that 2025-11-25 demands of a request
    /// to open a URL.
    ///
    /// - Parameter elicitationID: unique among the requests that this client is asked; no
    ///   `notifications/elicitation/complete` will name it.
    public func legacyParams(elicitationID: String) -> ByteBuffer? {
        guard let params, isURLElicitation, !has("elicitationId") else { return params }
        var text = ObjectText(capacity: params.readableBytes + elicitationID.utf8.count + 24)
        text.copy(params.whole, of: params) { key, _ in
            JSONText.equals(key, "elicitationId", in: params) ? .drop : .keep
        }
        text.member("elicitationId", string: elicitationID)
        return text.finished()
    }
}

extension ServerRequest.Method {
    fileprivate func isNamed(by range: ByteRange, in bytes: ByteBuffer) -> Bool {
        switch self {
        case .sampling: JSONText.equals(range, "sampling/createMessage", in: bytes)
        case .elicitation: JSONText.equals(range, "elicitation/create", in: bytes)
        case .roots: JSONText.equals(range, "roots/list", in: bytes)
        }
    }
}
