import JSONRPCWire
import NIOCore
import Testing

@testable import OutputSanitizer

/// Scans `text`, which must be a message. Its bytes do not begin at their buffer's start, since every range has to
/// count from `readerIndex`.
func scanned(_ text: some Sequence<UInt8>, _ location: SourceLocation = #_sourceLocation) throws -> Message {
    var bytes = ByteBuffer(string: "\u{7}{[\"<b>")
    bytes.writeBytes(text)
    bytes.moveReaderIndex(forwardBy: 7)
    guard case .message(let scan) = MessageScanner(maxDepth: 1 << 20).scan(bytes) else {
        Issue.record("no message: \(String(buffer: bytes))", sourceLocation: location)
        throw NoMessage()
    }
    return Message(bytes: bytes, scan: scan)
}

struct NoMessage: Error {}

/// A response whose `result` or `error` is spelled as given.
func response(_ outcome: String) throws -> Message {
    try scanned(#"{"jsonrpc":"2.0","id":"\u0041","#.utf8 + Array(outcome.utf8) + Array("}".utf8))
}

/// The response after sanitising, as text; the same text when nothing was taken out.
func sanitized(_ outcome: String, _ stages: SanitizerStages = .all) throws -> String {
    let message = try response(outcome)
    let output = OutputSanitizer(SanitizerOptions(stages: stages)).sanitize(message)
    return try inner(
        of: String(buffer: output?.bytes ?? message.bytes), between: #"{"jsonrpc":"2.0","id":"\u0041","#, and: "}")
}

/// What becomes of a string, given and returned as spelled between its quotes.
func sanitizedString(_ spelled: String, _ stages: SanitizerStages = .all) throws -> String {
    let head = #""result":{"content":[{"type":"text","text":""#
    return try inner(of: sanitized(head + spelled + #""}]}"#, stages), between: head, and: #""}]}"#)
}

/// What stands between two texts. By scalars: what is searched may begin with a combining mark.
private func inner(of text: String, between head: String, and tail: String) throws -> String {
    let scalars = text.unicodeScalars
    let start = head.unicodeScalars.count
    let end = tail.unicodeScalars.count
    try #require(scalars.prefix(start).elementsEqual(head.unicodeScalars), "\(text)")
    try #require(scalars.suffix(end).elementsEqual(tail.unicodeScalars), "\(text)")
    return String(String.UnicodeScalarView(scalars.dropFirst(start).dropLast(end)))
}

/// The same, unescaped before and after.
func sanitizedText(_ text: String, _ stages: SanitizerStages = .all) throws -> String {
    try unescaped(sanitizedString(spelled(text), stages))
}

/// A text between the quotes of a JSON string.
func spelled(_ text: String) -> String {
    var buffer = ByteBuffer()
    JSONText.appendQuoted(text, to: &buffer)
    return String(String.UnicodeScalarView(String(buffer: buffer).unicodeScalars.dropFirst().dropLast()))
}

/// The text between the quotes of a JSON string.
func unescaped(_ spelled: String) throws -> String {
    let quoted = ByteBuffer(string: "\"\(spelled)\"")
    return try #require(JSONText.string(ByteRange(0, quoted.readableBytes), in: quoted), "\(spelled)")
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
