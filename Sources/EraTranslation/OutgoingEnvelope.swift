public import JSONRPCWire
public import NIOCore

/// The envelope for requests of one legacy session, or of the gateway itself, to a modern upstream.
///
/// Made once per session and log level; putting it on a request copies it.
public struct OutgoingEnvelope: Sendable {
    /// The members of `_meta`, without braces.
    private let members: ByteBuffer

    /// - Parameters:
    ///   - version: a revision that the upstream supports.
    ///   - capabilities: the client's, as JSON object in the modern schema: see
    ///     ``CapabilityTranslation/clientToModern(_:)``.
    ///   - clientInfo: who the client is, as JSON object with name and version, or `nil` to leave it out.
    ///   - logLevel: the least severe log messages wanted, or `nil` for none.
    public init(version: String, capabilities: ByteBuffer, clientInfo: ByteBuffer?, logLevel: MCPLogLevel? = nil) {
        var text = ObjectText(
            capacity: 224 + capabilities.readableBytes + (clientInfo?.readableBytes ?? 0))
        text.member("io.modelcontextprotocol/protocolVersion", string: version)
        text.member("io.modelcontextprotocol/clientCapabilities", json: capabilities)
        if let clientInfo { text.member("io.modelcontextprotocol/clientInfo", json: clientInfo) }
        if let logLevel { text.member("io.modelcontextprotocol/logLevel", string: logLevel.rawValue) }
        let object = text.finished()
        members = object.piece(ByteRange(1, object.readableBytes - 1))
    }

    /// A legacy request for a modern upstream: with the envelope, and with another progress token.
    ///
    /// Members of the envelope's names that the client wrote itself are replaced; all others of its `_meta` stay.
    ///
    /// - Parameter progressToken: takes the place of the request's own; `nil` leaves it. Where the request has none,
    ///   none is added.
    public func stamped(on message: Message, progressToken: Lexeme? = nil) -> Splices {
        Meta.adding(members, replacing: ownMembers(of: message), to: message, progressToken: progressToken)
    }

    /// The `params` of a request that the gateway makes itself: the envelope, and `members` (JSON without braces).
    public func params(_ members: ByteBuffer = ByteBuffer()) -> ByteBuffer {
        var text = ObjectText(capacity: self.members.readableBytes + members.readableBytes + 16)
        writeMeta(to: &text)
        text.members(members)
        return text.finished()
    }

    /// The retry of a request whose upstream answered with an ``InputRequired`` (basic/patterns/mrtr, "Client
    /// Requirements"): the original with envelope, answers and state. It needs an id of its own.
    ///
    /// `inputResponses` and `requestState` that the original has are replaced, not repeated.
    ///
    /// - Parameters:
    ///   - original: the client's request, as it came or as a policy rewrote it.
    ///   - progressToken: as in ``stamped(on:progressToken:)``.
    ///   - responses: for each embedded request its key (``InputRequired/Request/key``) and the client's result.
    ///   - requestState: ``InputRequired/requestState``, with its quotes; `nil` where the upstream sent none.
    public func retrying(
        _ original: Message, progressToken: Lexeme? = nil, responses: [(key: ByteBuffer, result: ByteBuffer)],
        requestState: ByteBuffer?
    ) -> Splices {
        let scan = original.scan
        let added = responses.reduce(64 + (requestState?.readableBytes ?? 0)) {
            $0 + $1.key.readableBytes + $1.result.readableBytes + 2
        }
        var text = ObjectText(capacity: scan[.params].count + members.readableBytes + added)
        text.name("_meta")
        let meta = Meta.rewritten(
            original, members, replacing: ownMembers(of: original), progressToken: progressToken)
        text.write { $0.writeImmutableBuffer(meta) }
        text.copy(scan[.params], of: original.bytes) { _, value in
            let isReplaced =
                value == scan[.paramsMeta] || value == scan[.paramsInputResponses]
                || value == scan[.paramsRequestState]
            return isReplaced ? .drop : .keep
        }
        if !responses.isEmpty {
            var map = ObjectText(capacity: added)
            for response in responses { map.member(quotedName: response.key, json: response.result) }
            text.member("inputResponses", json: map.finished())
        }
        if let requestState { text.member("requestState", json: requestState) }
        let params = text.finished()
        guard scan[.params].isPresent else {
            var method = ByteBuffer()
            method.write(scan[.method], of: original.bytes)
            method.writeStaticString(#","params":"#)
            method.writeImmutableBuffer(params)
            return Splices(Splice(scan[.method], method))
        }
        return Splices(Splice(scan[.params], params))
    }

    private func writeMeta(to text: inout ObjectText) {
        text.name("_meta")
        text.write { bytes in
            bytes.writeStaticString("{")
            bytes.writeImmutableBuffer(members)
            bytes.writeStaticString("}")
        }
    }

    private func ownMembers(of message: Message) -> [ByteRange] {
        // An absent range is the value of no member.
        [
            message.scan[.metaProtocolVersion], message.scan[.metaClientCapabilities],
            message.scan[.metaClientInfo], message.scan[.metaLogLevel],
        ]
    }
}
