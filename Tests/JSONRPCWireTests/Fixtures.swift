import JSONRPCWire
import NIOCore
import Testing

/// A buffer whose readable bytes do not begin at its start, since every range must count from `readerIndex`.
func buffer(_ bytes: some Sequence<UInt8>) -> ByteBuffer {
    var buffer = ByteBuffer(string: "\u{7}{[\"")
    buffer.writeBytes(bytes)
    buffer.moveReaderIndex(forwardBy: 4)
    return buffer
}

func buffer(_ text: String) -> ByteBuffer {
    buffer(text.utf8)
}

func text(_ range: ByteRange, of bytes: ByteBuffer) -> String? {
    guard range.isPresent else { return nil }
    return bytes.getString(at: bytes.readerIndex + Int(range.lower), length: range.count)
}

extension MessageScanner {
    static let standard = MessageScanner(maxDepth: 128)
}

extension ScanOutcome {
    var rejection: Rejection? {
        if case .rejected(let rejection) = self { rejection } else { nil }
    }

    var message: MessageScan? {
        if case .message(let scan) = self { scan } else { nil }
    }
}

/// Scans `text`, which must be a message.
func scanned(_ text: String, _ location: SourceLocation = #_sourceLocation) throws -> Message {
    let bytes = buffer(text)
    let outcome = MessageScanner.standard.scan(bytes)
    let scan = try #require(outcome.message, "\(text): \(outcome)", sourceLocation: location)
    return Message(bytes: bytes, scan: scan)
}

/// Scans `bytes`, which must be refused.
func rejected(_ bytes: ByteBuffer, _ location: SourceLocation = #_sourceLocation) throws -> Rejection {
    try #require(MessageScanner.standard.scan(bytes).rejection, "\(String(buffer: bytes))", sourceLocation: location)
}

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
