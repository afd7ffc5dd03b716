import JSONRPCWire
import NIOCore
import Testing

@Suite("Batches")
struct BatchTests {
    @Test("hands out the elements, each with its own verdict")
    func elements() throws {
        let line = buffer(#" [ {"jsonrpc":"2.0","id":1,"method":"a"} ,[{}], 5,{"jsonrpc":"2.0","id":"b","method":7}] "#)
        guard case .batch(let ranges) = MessageScanner.standard.scan(line) else {
            Issue.record("no batch")
            return
        }
        #expect(ranges.map { text($0, of: line) }.count == 4)

        let (first, bytes) = MessageScanner.standard.scan(element: ranges[0], of: line)
        let scan = try #require(first.message)
        #expect(scan.kind == .request)
        #expect(scan.length == bytes.readableBytes)
        #expect(text(scan[.method], of: bytes) == "\"a\"")
        #expect(String(buffer: bytes) == #"{"jsonrpc":"2.0","id":1,"method":"a"}"#)

        for index in 1...2 {
            let rejection = MessageScanner.standard.scan(element: ranges[index], of: line).0.rejection
            #expect(rejection?.code == -32600)
            #expect(rejection?.reason == "a message must be an object")
        }
        let (last, lastBytes) = MessageScanner.standard.scan(element: ranges[3], of: line)
        #expect(last.rejection?.reason == "method must be a string")
        #expect(text(try #require(last.rejection).id, of: lastBytes) == "\"b\"")
    }

    @Test("takes 64 messages and refuses the 65th")
    func count() throws {
        func line(_ count: Int) -> ByteBuffer {
            buffer("[" + Array(repeating: "{}", count: count).joined(separator: ",") + "]")
        }
        guard case .batch(let ranges) = MessageScanner.standard.scan(line(64)) else {
            Issue.record("64 messages are a batch")
            return
        }
        #expect(ranges.count == 64)
        let rejection = try rejected(line(65))
        #expect(rejection.code == -32600)
        #expect(rejection.reason == "a batch of 65 messages is more than the 64 allowed")
    }

    @Test("does not count the array as a level of its messages")
    func depth() {
        let scanner = MessageScanner(maxDepth: 2)
        guard case .batch(let ranges) = scanner.scan(buffer(#"[{"jsonrpc":"2.0","method":"m","params":{}}]"#)) else {
            Issue.record("two levels are allowed")
            return
        }
        #expect(ranges.count == 1)
        #expect(scanner.scan(buffer(#"[{"params":{"x":[]}}]"#)).rejection?.code == -32600)
    }
}
