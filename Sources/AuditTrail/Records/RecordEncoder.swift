import GatewayEvents

/// One format: turns an event into the bytes of one line, newline included. Each format is one file that conforms.
///
/// Called on the loop, once per event and sink. Encoders may keep caches, since a sink owns its encoder. An encoder
/// never fails and keeps to ``largestAnswer``, on which the sink's reserve is counted.
protocol RecordEncoder: AnyObject {
    /// Appends the record of `event`.
    func encode(_ event: AuditEvent, redaction: Redaction, seq: UInt64, into out: LineBuffer)
    /// Appends the record of something that concerns the sink itself.
    func encode(_ notice: SinkNotice, seq: UInt64, into out: LineBuffer)
    /// The most bytes that the record of a request can take.
    var largestRequest: Int { get }
    /// The most bytes that the record of a response can take.
    var largestAnswer: Int { get }
    /// The most bytes that an AUDIT_GAP can take.
    var largestGap: Int { get }
    /// What a file has to begin with, newline included; empty for formats without a header. The sink writes it.
    var header: [UInt8] { get }
    /// Whether a file that begins with `beginning`, which is not empty and may be cut, can be in this format.
    func mayBegin(with beginning: [UInt8]) -> Bool
}

extension RecordEncoder {
    var header: [UInt8] { [] }
}

/// How much of a text a record prints, in bytes as printed.
enum PrintedLimit {
    /// A method, a tool, a request id, an error's message, a reason.
    static let text = 1024
    /// What identifies a client, an upstream or a policy.
    static let identity = 256
    /// Our own long texts, such as what a reload changed.
    static let detail = 4096
}
