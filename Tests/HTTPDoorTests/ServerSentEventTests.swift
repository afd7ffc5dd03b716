import NIOCore
import Testing

@testable import HTTPDoor

@Suite("Server-sent events")
struct ServerSentEventTests {
    @Test("a message is one data line whatever white space it has")
    func message() {
        var buffer = ByteBuffer(string: "before\r\n")
        ServerSentEvent.message(
            ByteBuffer(string: "{\"a\":\r1,\n\"b\":\"\\r\\n\"}"), id: EventID(stream: 3, number: 7), to: &buffer)
        #expect(String(buffer: buffer) == "before\r\nid: 3.7\ndata: {\"a\": 1, \"b\":\"\\r\\n\"}\n\n")
    }

    @Test("a buffer that was read from is blanked at the right place")
    func offset() {
        var buffer = ByteBuffer(string: "xx{\r}\n")
        buffer.moveReaderIndex(forwardBy: 2)
        ServerSentEvent.blankLineBreaks(in: &buffer, from: buffer.readerIndex)
        #expect(String(buffer: buffer) == "{ } ")
    }

    @Test("the first event has an id and no data")
    func priming() {
        var buffer = ByteBuffer()
        ServerSentEvent.priming(EventID(stream: 0, number: 1), to: &buffer)
        #expect(String(buffer: buffer) == "id: 0.1\ndata: \n\n")
    }

    @Test("ids are read as they were written")
    func ids() {
        let id = EventID(stream: .max, number: .max)
        #expect(EventID(id.description) == id)
    }

    @Test(
        "other ids are unknown",
        arguments: [
            "", ".", "1", "1.", ".1", "01.1", "1.01", "+1.1", "1.0", "-1.2", "1.2.3", "a.b", " 1.1", "4294967296.1",
            "1.18446744073709551616", "1.1\u{301}",
        ])
    func foreign(text: String) {
        #expect(EventID(text) == nil)
    }
}
