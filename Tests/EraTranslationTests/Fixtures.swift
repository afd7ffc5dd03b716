import EraTranslation
import JSONRPCWire
import NIOCore
import Testing

/// A buffer whose readable bytes do not begin at its start, since every range must count from `readerIndex`.
func buffer(_ text: String) -> ByteBuffer {
    var buffer = ByteBuffer(string: "\u{7}{[\"")
    buffer.writeString(text)
    buffer.moveReaderIndex(forwardBy: 4)
    return buffer
}

/// Scans `text`, which must be a message.
func scanned(_ text: String, _ location: SourceLocation = #_sourceLocation) throws -> Message {
    let bytes = buffer(text)
    guard case .message(let scan) = MessageScanner(maxDepth: 128).scan(bytes) else {
        Issue.record("no message: \(text)", sourceLocation: location)
        throw NoMessage()
    }
    return Message(bytes: bytes, scan: scan)
}

struct NoMessage: Error {}

/// A request with these params; without any when they are `nil`.
func request(
    _ method: String, _ params: String?, _ location: SourceLocation = #_sourceLocation
) throws -> Message {
    let params = params.map { ",\"params\":\($0)" } ?? ""
    return try scanned(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)"\#(params)}"#, location)
}

func response(_ result: String, _ location: SourceLocation = #_sourceLocation) throws -> Message {
    try scanned(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#, location)
}

extension Splices {
    /// The changed message, which must be one again.
    func text(_ message: Message, _ location: SourceLocation = #_sourceLocation) throws -> String {
        let text = String(buffer: applied(to: message.bytes).rendered())
        _ = try scanned(text, location)
        return text
    }

    /// The value of `params` in the changed message.
    func params(_ message: Message, _ location: SourceLocation = #_sourceLocation) throws -> String {
        try value(.params, message, location)
    }

    /// The value of `result` in the changed message.
    func result(_ message: Message, _ location: SourceLocation = #_sourceLocation) throws -> String {
        try value(.result, message, location)
    }

    private func value(_ member: Member, _ message: Message, _ location: SourceLocation) throws -> String {
        let changed = try scanned(text(message, location), location)
        return changed.text(member)
    }
}

extension Message {
    /// A member as it stands; empty when absent.
    func text(_ member: Member) -> String {
        let range = scan[member]
        return bytes.getString(at: bytes.readerIndex + Int(range.lower), length: range.count) ?? ""
    }
}

/// The error that `body` must throw.
func failure<Value>(
    _ location: SourceLocation = #_sourceLocation, _ body: () throws -> Value
) throws -> ProtocolError {
    do {
        let value = try body()
        Issue.record("no error but \(value)", sourceLocation: location)
        throw NoMessage()
    } catch let error as ProtocolError {
        return error
    }
}

/// The two required members of a modern envelope.
let requiredMembers =
    #""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#

/// SplitMix64: small, and the same in every run.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
