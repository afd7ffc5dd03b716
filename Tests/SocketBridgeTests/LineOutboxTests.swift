import JSONRPCWire
import NIOCore
import Testing

@testable import SocketBridge

@Suite("LineOutbox")
struct LineOutboxTests {
    @Test("small lines leave as one buffer, and large ones as they were received, all in their order")
    func order() {
        let large = String(repeating: "x", count: 40_000)
        var outbox = LineOutbox()
        #expect(outbox.take().isEmpty)
        for line in ["a", "b", large, "c"] { outbox.append(SplicedMessage(ByteBuffer(string: line))) }
        #expect(outbox.take().map { String(buffer: $0) } == ["a\nb\n", large, "\nc\n"])
        #expect(outbox.take().isEmpty)
    }
}
