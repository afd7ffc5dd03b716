import GatewayConfiguration
public import GatewayEvents
public import NIOCore

/// A whole protocol message as a log may show it: redacted by the names of its snapshot, one line, cut.
public struct RedactedMessage {
    private let redaction: Redaction
    private let line = LineBuffer()

    /// Takes the names that `snapshot` hides.
    public init(_ snapshot: Snapshot) {
        redaction = Redaction(names: SensitiveNames(extra: snapshot.settings.redactedNames))
    }

    /// The JSON text `message` with the values of sensitive names hidden; beyond `limit` bytes, or when it is no JSON, a
    /// JSON string of its redacted beginning.
    public func text(_ message: ByteBuffer, limit: Int) -> String {
        line.truncate(to: 0)
        redaction.appendBody(message, limit: limit, to: line)
        return String(decoding: line.bytes, as: UTF8.self)
    }
}
