internal import Glibc
internal import NIOCore

/// The id of an event: which stream it belongs to, and its number in its session.
struct EventID: Hashable, Sendable, CustomStringConvertible {
    /// 0 is the session's own stream; otherwise the exchange whose POST began the stream.
    var stream: UInt32
    var number: UInt64

    init(stream: UInt32, number: UInt64) {
        self.stream = stream
        self.number = number
    }

    /// nil for what this door never wrote.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard text.utf8.count <= 32, parts.count == 2, let stream = UInt32(parts[0]), let number = UInt64(parts[1]),
            number > 0, "\(stream).\(number)" == text
        else { return nil }
        self.init(stream: stream, number: number)
    }

    var description: String { "\(stream).\(number)" }
}

/// Writes `text/event-stream` (WHATWG HTML, "Server-sent events").
enum ServerSentEvent {
    /// One message. It may hold no line feed, which no message that passed the scanner on a line does; a carriage return
    /// can only be white space between tokens there and becomes a space, since it would end the line.
    static func message(_ message: ByteBuffer, id: EventID?, to buffer: inout ByteBuffer) {
        if let id { buffer.writeString("id: \(id)\n") }
        buffer.writeStaticString("data: ")
        let start = buffer.writerIndex
        buffer.writeImmutableBuffer(message)
        blankLineBreaks(in: &buffer, from: start)
        buffer.writeStaticString("\n\n")
    }

    /// The first event from revision 2025-11-25 on: an id to resume after, and empty data.
    static func priming(_ id: EventID, to buffer: inout ByteBuffer) {
        buffer.writeString("id: \(id)\n")
        buffer.writeStaticString("data: \n\n")
    }

    /// Keeps proxies from closing a silent stream; clients skip it.
    static let keepAlive = ByteBuffer(staticString: ": keep-alive\n\n")

    /// Turns line breaks between the tokens of strict JSON, which are its only ones, into spaces. Writes, and so copies,
    /// nothing where there are none.
    static func blankLineBreaks(in buffer: inout ByteBuffer, from index: Int) {
        for lineBreak in [Int32(UInt8(ascii: "\n")), Int32(UInt8(ascii: "\r"))] {
            var offset = index - buffer.readerIndex
            while let found = position(of: lineBreak, in: buffer, from: offset) {
                buffer.setInteger(UInt8(ascii: " "), at: buffer.readerIndex + found)
                offset = found + 1
            }
        }
    }

    private static func position(of byte: Int32, in buffer: ByteBuffer, from offset: Int) -> Int? {
        buffer.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress, offset < bytes.count,
                let found = memchr(base + offset, byte, bytes.count - offset)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}
