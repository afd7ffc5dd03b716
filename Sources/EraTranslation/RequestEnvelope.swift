public import JSONRPCWire
internal import NIOCore

/// The envelope that a modern request carries in `params._meta` (basic/index, "Per-request protocol fields").
public struct RequestEnvelope: Sendable {
    /// The revision that the request is written in: one of those that were asked for.
    public let version: String
    /// Where the capabilities stand in the request; always an object.
    public let capabilities: ByteRange
    /// Where the client names itself: an object with name and version, or absent. Self-reported; decide nothing by it.
    public let clientInfo: ByteRange
    /// What of ``capabilities`` lets a server ask the client something.
    public let features: ClientFeatures
    /// The least severe log messages that the client wants for this request; `nil` for none at all.
    public let logLevel: MCPLogLevel?

    /// Reads and checks the envelope of a request.
    ///
    /// - Parameters:
    ///   - message: a request.
    ///   - supported: the revisions that its sender may use here, best first.
    /// - Throws: in this order -32602 for a required field that is missing (HTTP 400), -32602 for a version that is no
    ///   string, -32022 for a version that is not `supported` (HTTP 400), -32602 for any other field of the wrong shape.
    ///   With HTTP, call ``RequestHeaders/check(_:)`` first.
    public init(
        of message: Message, supported: [String] = [ModernProtocol.version]
    ) throws(ProtocolError) {
        try Self.requireFields(of: message)
        let bytes = message.bytes
        let versionRange = message.scan[.metaProtocolVersion]
        if supported == [ModernProtocol.version], JSONText.equals(versionRange, "2026-07-28", in: bytes) {
            version = ModernProtocol.version
        } else {
            guard let version = JSONText.string(versionRange, in: bytes) else {
                throw Self.malformed("protocolVersion must be a string")
            }
            guard supported.contains(where: { $0.utf8.elementsEqual(version.utf8) }) else {
                throw .unsupportedVersion(version, supported: supported)
            }
            self.version = version
        }
        capabilities = message.scan[.metaClientCapabilities]
        guard JSONText.kind(of: capabilities, in: bytes) == .object else {
            throw Self.malformed("clientCapabilities must be an object")
        }
        features = ClientFeatures(capabilities, in: bytes)
        clientInfo = try Self.clientInfo(of: message)
        let level = message.scan[.metaLogLevel]
        logLevel = MCPLogLevel(level, in: bytes)
        guard logLevel != nil || JSONText.kind(of: level, in: bytes) == .null else {
            throw Self.malformed(
                "logLevel must be one of \(MCPLogLevel.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    /// Throws -32602 (HTTP 400) unless both required fields are there, in whatever shape.
    static func requireFields(of message: Message) throws(ProtocolError) {
        let hasVersion = message.scan[.metaProtocolVersion].isPresent
        let hasCapabilities = message.scan[.metaClientCapabilities].isPresent
        guard !hasVersion || !hasCapabilities else { return }
        let missing = [
            hasVersion ? nil : "io.modelcontextprotocol/protocolVersion",
            hasCapabilities ? nil : "io.modelcontextprotocol/clientCapabilities",
        ]
        throw .invalidParams(
            "params._meta lacks \(missing.compactMap(\.self).joined(separator: " and "))", httpStatus: 400)
    }

    /// Throws -32021 unless the client has declared all of `needed`.
    public func require(_ needed: ClientFeatures) throws(ProtocolError) {
        let missing = needed.subtracting(features)
        guard missing.isEmpty else { throw .missingCapability(missing) }
    }

    private static func clientInfo(of message: Message) throws(ProtocolError) -> ByteRange {
        let range = message.scan[.metaClientInfo]
        switch JSONText.kind(of: range, in: message.bytes) {
        case .null: return .absent
        case .object:
            guard Implementation.isComplete(range, in: message.bytes) else {
                throw malformed("clientInfo must have a name and a version, both strings")
            }
            return range
        default: throw malformed("clientInfo must be an object")
        }
    }

    private static func malformed(_ what: String) -> ProtocolError {
        .invalidParams("params._meta: io.modelcontextprotocol/\(what)", httpStatus: 400)
    }
}

extension RequestEnvelope {
    /// A modern request for a legacy upstream: without the envelope, and with another progress token.
    ///
    /// Whatever else stands in `_meta` stays; where nothing is left, `_meta` goes as well, since a legacy client that
    /// has nothing to say there sends none.
    ///
    /// - Parameter progressToken: takes the place of the request's own; `nil` leaves it. Where the request has none,
    ///   none is added.
    public static func stripped(from message: Message, progressToken: Lexeme? = nil) -> Splices {
        let scan = message.scan
        return Meta.removing(
            [
                scan[.metaProtocolVersion], scan[.metaClientCapabilities], scan[.metaClientInfo],
                scan[.metaLogLevel],
            ], from: message, progressToken: progressToken)
    }
}

/// `Implementation` in the schema: who a client or a server is.
enum Implementation {
    /// Whether the value is an object with name and version, as the schema of every revision demands.
    static func isComplete(_ range: ByteRange, in bytes: ByteBuffer) -> Bool {
        let span = bytes.readableBytesSpan
        var hasName = false
        var hasVersion = false
        guard JSONText.kind(of: range, in: bytes) == .object else { return false }
        var items = ItemCursor(range, in: span)
        while let (key, value) = items.next(span) {
            if JSONText.equals(key, "name", in: bytes) {
                hasName = JSONText.kind(of: value, in: bytes) == .string
            } else if JSONText.equals(key, "version", in: bytes) {
                hasVersion = JSONText.kind(of: value, in: bytes) == .string
            }
        }
        return hasName && hasVersion
    }
}
