public import JSONRPCWire
public import NIOCore

/// Results of one era for clients of the other (basic/index, "ResultType"; server/utilities/caching).
public enum ResultTranslation {
    /// What a modern result is.
    public enum Kind: Hashable, Sendable {
        /// The final one; also where an upstream leaves the type out.
        case complete
        /// See ``InputRequired``.
        case inputRequired
        /// One that an extension defines, or garbage: no legacy client can read it.
        case other
    }

    /// What the result of a response is, without reading more than one member.
    @inline(__always)
    public static func kind(of message: Message) -> Kind {
        let type = message.scan[.resultType]
        if !type.isPresent || JSONText.equals(type, "complete", in: message.bytes) { return .complete }
        return JSONText.equals(type, "input_required", in: message.bytes) ? .inputRequired : .other
    }

    /// Whether results of the method must carry caching hints (server/utilities/caching, "Cacheable Results").
    public static func isCacheable(_ method: String) -> Bool {
        switch method {
        case "server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list",
            "resources/read":
            true
        default: false
        }
    }

    /// A legacy upstream's result for a modern client: `resultType` complete and, where the method's results are
    /// cacheable, `ttlMs` 0 and `cacheScope` private, so that nobody keeps what may change at any time and what is
    /// filtered for one client.
    ///
    /// Members of these names that the legacy upstream wrote itself mean nothing in its era and are replaced. A result
    /// that is no object stays as it is.
    ///
    /// - Parameters:
    ///   - message: a response with a result.
    ///   - method: that of the request which it answers.
    ///   - serverInfo: an object with name and version for `_meta`, which a server SHOULD name itself by in each
    ///     result; `nil` leaves it out. It is left out as well where the result's `_meta` names one, or is no object.
    public static func toModern(_ message: Message, method: String, serverInfo: ByteBuffer? = nil) -> Splices {
        let scan = message.scan
        var splices = Splices()
        guard JSONText.kind(of: scan[.result], in: message.bytes) == .object else { return splices }
        var added = ByteBuffer()
        added.reserveCapacity(128 + (serverInfo?.readableBytes ?? 0))
        func put(_ member: Member, _ name: StaticString, _ value: StaticString) {
            let range = scan[member]
            guard !range.isPresent else {
                splices.replace(range, with: ByteBuffer(staticString: value))
                return
            }
            if added.readableBytes > 0 { added.writeStaticString(",") }
            added.writeStaticString(name)
            added.writeStaticString(value)
        }
        put(.resultType, #""resultType":"#, #""complete""#)
        if isCacheable(method) {
            put(.resultTTL, #""ttlMs":"#, "0")
            put(.resultCacheScope, #""cacheScope":"#, #""private""#)
        }
        if let serverInfo {
            var name = ByteBuffer(staticString: #""io.modelcontextprotocol/serverInfo":"#)
            name.writeImmutableBuffer(serverInfo)
            let meta = scan[.resultMeta]
            if !meta.isPresent {
                if added.readableBytes > 0 { added.writeStaticString(",") }
                added.writeStaticString(#""_meta":{"#)
                added.writeImmutableBuffer(name)
                added.writeStaticString("}")
            } else if JSONText.kind(of: meta, in: message.bytes) == .object,
                !JSONText.member("io.modelcontextprotocol/serverInfo", of: meta, in: message.bytes).isPresent
            {
                splices.prepend(name, to: meta, of: message.bytes)
            }
        }
        if added.readableBytes > 0 { splices.prepend(added, to: scan[.result], of: message.bytes) }
        return splices
    }

    /// A modern upstream's complete result for a legacy client: without `resultType`, `ttlMs` and `cacheScope`.
    ///
    /// Look at ``kind(of:)`` first: only a complete result means anything to a legacy client.
    public static func toLegacy(_ message: Message) -> Splices {
        var splices = Splices()
        let scan = message.scan
        splices.remove([scan[.resultType], scan[.resultTTL], scan[.resultCacheScope]], of: message.bytes)
        return splices
    }
}

/// Error responses of legacy upstreams for modern clients (basic/index, "Error Codes").
///
/// The other way all codes pass: a legacy client takes any.
public enum ErrorTranslation {
    /// Gives the two codes that a modern server must not send any more one that exists: -32002 (resource not found)
    /// becomes -32602, as the changelog says; -32042 (URL elicitation required) has no successor, since modern servers
    /// ask in an ``InputRequired``, and becomes -32603. Message and data stay.
    public static func toModern(_ message: Message) -> Splices {
        let code = message.scan[.errorCode]
        switch JSONText.integer(code, in: message.bytes) {
        case -32002: return Splices(Splice(code, ByteBuffer(string: "-32602")))
        case -32042: return Splices(Splice(code, ByteBuffer(string: "-32603")))
        default: return Splices()
        }
    }
}
