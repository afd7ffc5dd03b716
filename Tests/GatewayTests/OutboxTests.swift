import JSONRPCWire
import NIOCore
import Testing

@testable import Gateway

@Suite("Outbox")
struct OutboxTests {
    @Test("small messages become one buffer, in order, a line each")
    func gathers() throws {
        var outbox = Outbox()
        for text in ["{}", "[1]", "2"] { outbox.append(SplicedMessage(ByteBuffer(string: text))) }
        #expect(outbox.byteCount == 9)
        let single = outbox.takeSingle()
        let buffer = try #require(single)
        #expect(String(buffer: buffer) == "{}\n[1]\n2\n")
        #expect(outbox.isEmpty)
    }

    @Test("large messages go as slices between small ones, with their replaced parts, and nothing is reordered")
    func slices() {
        var outbox = Outbox()
        let large = #"{"id":1,"x":"\#(String(repeating: "y", count: 100_000))"}"#
        var message = SplicedMessage(ByteBuffer(string: large))
        message.replace(ByteRange(6, 7), withInteger: 42)
        outbox.append(SplicedMessage(ByteBuffer(string: "a")))
        outbox.append(message)
        outbox.append(SplicedMessage(ByteBuffer(string: "b")))
        #expect(outbox.takeSingle() == nil)
        let size = outbox.byteCount
        let all = outbox.take().map { String(buffer: $0) }.joined()
        #expect(all == "a\n" + large.replacing(#"{"id":1,"#, with: #"{"id":42,"#) + "\nb\n")
        #expect(all.utf8.count == size)
        #expect(outbox.isEmpty)
        #expect(outbox.take().isEmpty)
    }
}
