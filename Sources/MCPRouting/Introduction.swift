internal import EraTranslation
internal import JSONRPCWire
internal import NIOCore

/// What a client says of itself, in `initialize` or in an envelope. Copied out of the message, whose buffer would
/// otherwise live as long as the session; what is longer than ``longest`` is not kept, and an upstream of the other era
/// learns that much less.
struct Introduction {
    /// A JSON object.
    private let capabilities: ByteBuffer
    /// A JSON object with name and version, where there was one.
    private let clientInfo: ByteBuffer?

    /// The longest object that is kept, in bytes.
    static let longest = 65_536

    /// Of a client that said nothing.
    init() {
        capabilities = ByteBuffer(string: "{}")
        clientInfo = nil
    }

    /// By a request of either era.
    init(of message: Message) {
        let isModern = message.hasEnvelope
        func object(_ member: Member) -> ByteBuffer? {
            let range = message.scan[member]
            guard JSONText.kind(of: range, in: message.bytes) == .object, range.count <= Self.longest else {
                return nil
            }
            return message.slice(member).map { ByteBuffer(bytes: $0.readableBytesView) }
        }
        capabilities = object(isModern ? .metaClientCapabilities : .paramsCapabilities) ?? ByteBuffer(string: "{}")
        clientInfo = object(isModern ? .metaClientInfo : .paramsClientInfo)
    }

    /// What it lets a server ask.
    var features: ClientFeatures { ClientFeatures(ByteRange(0, capabilities.readableBytes), in: capabilities) }

    /// The envelope of a legacy session's requests to a modern upstream.
    func envelope(level: MCPLogLevel) -> OutgoingEnvelope {
        OutgoingEnvelope(
            version: ModernProtocol.version, capabilities: CapabilityTranslation.clientToModern(capabilities),
            clientInfo: clientInfo, logLevel: level)
    }

    /// `params` of the `initialize` that a legacy process is told for a modern session.
    var initializeParams: ByteBuffer {
        var params = ByteBuffer(string: #"{"protocolVersion":"\#(ProtocolVersion.newestLegacy.text)","capabilities":"#)
        params.writeImmutableBuffer(CapabilityTranslation.clientToLegacy(capabilities))
        params.writeString(#","clientInfo":"#)
        params.writeImmutableBuffer(clientInfo ?? ByteBuffer(string: #"{"name":"unknown","version":"0"}"#))
        params.writeString("}")
        return params
    }
}
