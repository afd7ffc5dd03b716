internal import JSONRPCWire
public import NIOCore

/// What a server says of itself: the result of `initialize` and of `server/discover`, each made from the other.
///
/// Both functions take the JSON of a `result` out of a scanned message, so that no name in it occurs twice. Unknown
/// members pass as they stand, also those of `_meta`.
public enum HandshakeTranslation {
    /// The answer to `server/discover` (server/discover, "Response") from a legacy upstream's answer to `initialize`.
    ///
    /// The server's name moves into `_meta`; the caching hints are the safe ones, `ttlMs` 0 and `cacheScope` private.
    ///
    /// - Parameter supportedVersions: what the client may use here in its requests, best first.
    /// - Throws: -32603 when `result` is no object with an object `capabilities`.
    public static func discoverResult(
        fromInitialize result: ByteBuffer, supportedVersions: [String]
    ) throws(ProtocolError) -> ByteBuffer {
        let members = try Members(of: result, in: "initialize")
        var text = ObjectText(capacity: result.readableBytes + 192)
        text.member("resultType", json: #""complete""#)
        text.name("supportedVersions")
        text.strings(supportedVersions)
        text.copy(result.whole, of: result) { key, value in
            if value == members.capabilities {
                return .replace(CapabilityTranslation.serverToModern(result.piece(value)))
            }
            return members.isOfEither(key, value) ? .drop : .keep
        }
        var meta = ObjectText(capacity: members.serverInfo.count + members.meta.count + 64)
        if JSONText.kind(of: members.serverInfo, in: result) == .object {
            meta.member("io.modelcontextprotocol/serverInfo", json: result.piece(members.serverInfo))
        }
        let hasServerInfo = !meta.isEmpty
        meta.copy(members.meta, of: result) { key, _ in
            hasServerInfo && JSONText.equals(key, "io.modelcontextprotocol/serverInfo", in: result) ? .drop : .keep
        }
        if !meta.isEmpty { text.member("_meta", json: meta.finished()) }
        text.member("ttlMs", json: "0")
        text.member("cacheScope", json: #""private""#)
        return text.finished()
    }

    /// The answer to `initialize` (2025-11-25, basic/lifecycle) from a modern upstream's answer to `server/discover`.
    ///
    /// - Parameters:
    ///   - version: the legacy revision that the client is told.
    ///   - fallbackServerInfo: an object with name and version, used where the upstream does not name itself: the
    ///     modern schema leaves that open, the legacy one does not.
    /// - Throws: -32603 when `result` is no object with an object `capabilities`.
    public static func initializeResult(
        fromDiscover result: ByteBuffer, version: String, fallbackServerInfo: ByteBuffer
    ) throws(ProtocolError) -> ByteBuffer {
        let members = try Members(of: result, in: "server/discover")
        var text = ObjectText(capacity: result.readableBytes + 64)
        text.member("protocolVersion", string: version)
        text.copy(result.whole, of: result) { key, value in
            if value == members.capabilities {
                return .replace(CapabilityTranslation.serverToLegacy(result.piece(value)))
            }
            return members.isOfEither(key, value) ? .drop : .keep
        }
        var serverInfo = fallbackServerInfo
        var meta = ObjectText(capacity: members.meta.count)
        meta.copy(members.meta, of: result) { key, value in
            guard JSONText.equals(key, "io.modelcontextprotocol/serverInfo", in: result) else { return .keep }
            if Implementation.isComplete(value, in: result) { serverInfo = result.piece(value) }
            return .drop
        }
        text.member("serverInfo", json: serverInfo)
        if !meta.isEmpty { text.member("_meta", json: meta.finished()) }
        return text.finished()
    }

    /// Whether the result of `server/discover` names this revision among those that the server supports.
    public static func supports(_ version: String, discoverResult result: ByteBuffer) -> Bool {
        var isSupported = false
        let span = result.readableBytesSpan
        let versions = JSONText.member("supportedVersions", of: result.whole, in: result)
        var items = ItemCursor(versions, in: span)
        while !isSupported, let (_, value) = items.next(span) {
            isSupported = JSONText.string(value, in: result)?.utf8.elementsEqual(version.utf8) ?? false
        }
        return isSupported
    }

    /// The members that have a place of their own in either result.
    private struct Members {
        var capabilities = ByteRange.absent
        var serverInfo = ByteRange.absent
        var meta = ByteRange.absent
        let result: ByteBuffer

        init(of result: ByteBuffer, in method: StaticString) throws(ProtocolError) {
            self.result = result
            let span = result.readableBytesSpan
            var items = ItemCursor(result.whole, in: span)
            while let (key, value) = items.next(span) {
                if JSONText.equals(key, "capabilities", in: result) {
                    capabilities = value
                } else if JSONText.equals(key, "serverInfo", in: result) {
                    serverInfo = value
                } else if JSONText.equals(key, "_meta", in: result) {
                    meta = value
                }
            }
            guard JSONText.kind(of: result.whole, in: result) == .object,
                JSONText.kind(of: capabilities, in: result) == .object
            else { throw .malformedResult("the upstream's answer to \(method) has no capabilities") }
        }

        /// Whether the member is one that is written anew or left out.
        func isOfEither(_ key: ByteRange, _ value: ByteRange) -> Bool {
            value == meta || value == serverInfo || JSONText.equals(key, "protocolVersion", in: result)
                || JSONText.equals(key, "supportedVersions", in: result)
                || JSONText.equals(key, "resultType", in: result) || JSONText.equals(key, "ttlMs", in: result)
                || JSONText.equals(key, "cacheScope", in: result)
        }
    }
}
