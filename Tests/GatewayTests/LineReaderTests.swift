import JSONRPCWire
import NIOCore
import Testing

@testable import Gateway

@Suite("LineReader")
struct LineReaderTests {
    private static let large =
        #"{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\#(String(repeating: "b", count: LineReader.inlineLimit))"}}"#
    private static let largeAnswer =
        #"{"jsonrpc":"2.0","id":1,"result":{"a":"\#(String(repeating: "b", count: LineReader.inlineLimit))"}}"#
    private static let small = #"{"jsonrpc":"2.0","method":"y"}"#

    @Test("what follows a long request waits until it was scanned elsewhere")
    func waits() {
        var reader = LineReader(maxMessageBytes: 1 << 20, maxDepth: 16, letsAnswersPass: true)
        reader.append(ByteBuffer(string: Self.large + "\n" + Self.small + "\n"))
        guard case .scanElsewhere(_, isOutOfBand: false)? = reader.next() else {
            Issue.record("the long line was not handed to a worker")
            return
        }
        #expect(reader.next() == nil)
        reader.resume()
        guard case .message? = reader.next() else {
            Issue.record("the line behind it was not read")
            return
        }
    }

    @Test("nothing waits for a long answer of an upstream; of a client, everything does", arguments: [true, false])
    func answers(letsAnswersPass: Bool) {
        var reader = LineReader(maxMessageBytes: 1 << 20, maxDepth: 16, letsAnswersPass: letsAnswersPass)
        reader.append(ByteBuffer(string: Self.largeAnswer + "\n" + Self.small + "\n"))
        guard case .scanElsewhere(_, let isOutOfBand)? = reader.next() else {
            Issue.record("the long line was not handed to a worker")
            return
        }
        #expect(isOutOfBand == letsAnswersPass)
        #expect((reader.next() != nil) == letsAnswersPass)
    }

    @Test("the end of input is told only behind the last line, finished or not")
    func end() {
        var reader = LineReader(maxMessageBytes: 1 << 20, maxDepth: 16, letsAnswersPass: false)
        reader.append(ByteBuffer(string: Self.small + "\n" + Self.small))
        reader.end()
        for _ in 0..<2 {
            #expect(!reader.isDrained)
            #expect(reader.next() != nil)
        }
        #expect(reader.next() == nil)
        #expect(reader.isDrained)
    }

    @Test("a line beyond the cap is told with its id, and the next line is read")
    func oversize() {
        var reader = LineReader(maxMessageBytes: 4096, maxDepth: 16, letsAnswersPass: false)
        reader.append(ByteBuffer(string: Self.large + "\n" + Self.small + "\n"))
        guard case .oversize(let peek, let head)? = reader.next() else {
            Issue.record("the line was not refused")
            return
        }
        #expect(JSONText.integer(peek.id, in: head) == 1)
        guard case .message? = reader.next() else {
            Issue.record("the line behind it was not read")
            return
        }
    }
}
