public import NIOCore

/// What a JSON-RPC message is.
public enum MessageKind: UInt8, Sendable {
    /// It has a method and an id.
    case request
    /// It has a method and no id.
    case notification
    /// It has an id and a `result`.
    case result
    /// It has an `error` (and an id, or null where the other side could not read ours).
    case error
}

/// The kind of JSON value that stands in a range.
public enum JSONKind: UInt8, Sendable {
    case object, array, string, number, `true`, `false`, null
}

/// A member that the gateway has to find, named after where it stands.
///
/// The scanner records the byte range of each of these (values with their quotes, braces or brackets) and looks at no
/// other member's name, beyond refusing duplicates and look-alikes.
public enum Member: Int, CaseIterable, Sendable {
    // The envelope. JSON-RPC 2.0 §4 and §5.
    case id, method, params, result, error
    // Inside `params`, when it is an object.
    case paramsName, paramsArguments, paramsMeta, paramsURI, paramsRequestID, paramsCursor, paramsLevel
    case paramsProtocolVersion, paramsCapabilities, paramsClientInfo, paramsProgressToken
    case paramsReason, paramsInputResponses, paramsRequestState, paramsNotifications
    // Inside `params._meta`, when both are objects.
    case metaProgressToken, metaProtocolVersion, metaClientCapabilities, metaClientInfo, metaLogLevel,
        metaSubscriptionID
    // Inside `result`, when it is an object.
    case resultTools, resultNextCursor, resultIsError, resultProtocolVersion, resultCapabilities, resultServerInfo
    case resultContent, resultStructuredContent, resultType, resultInputRequests, resultRequestState, resultMeta
    case resultTTL, resultCacheScope
    // Inside `error`, when it is an object.
    case errorCode, errorMessage, errorData
}

/// One scanned message: where its members stand. A flat value; it holds no bytes.
public struct MessageScan: Sendable {
    /// What the message is.
    public internal(set) var kind: MessageKind = .notification
    /// How long the scanned text was, in bytes.
    public internal(set) var length: Int = 0
    @usableFromInline
    internal var ranges = InlineArray<48, ByteRange>(repeating: .absent)

    /// An empty scan, to be filled by ``MessageScanner``.
    internal init() {}

    /// Where `member` stands, or ``ByteRange/absent``.
    @inlinable
    public subscript(_ member: Member) -> ByteRange {
        ranges[member.rawValue]
    }
}

/// A message together with its bytes. Immutable; a class because a scan is some 400 bytes long, and a message is handed
/// on many times.
public final class Message: Sendable {
    /// Exactly the message: its first byte is at `readerIndex`, and no newline follows. A slice of what was received.
    public let bytes: ByteBuffer
    /// Where the members stand in ``bytes``.
    public let scan: MessageScan

    /// Joins bytes and their scan.
    public init(bytes: ByteBuffer, scan: MessageScan) {
        self.bytes = bytes
        self.scan = scan
    }
}
