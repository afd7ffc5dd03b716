import JSONRPCWire
import NIOCore
import Testing

@Suite("Line framer")
struct LineFramerTests {
    enum Expected: Equatable {
        case line(String)
        case oversize(String)
    }

    static func frames(_ chunks: [[UInt8]], cap: Int) -> [Expected] {
        var framer = LineFramer(maxMessageBytes: cap)
        var frames: [Expected] = []
        func take(_ frame: LineFramer.Frame) {
            switch frame {
            case .line(let line): frames.append(.line(String(buffer: line)))
            case .oversize(let head): frames.append(.oversize(String(buffer: head)))
            }
        }
        for chunk in chunks {
            framer.append(buffer(chunk))
            while let frame = framer.next() { take(frame) }
            #expect(framer.bufferedBytes <= cap)
        }
        while let frame = framer.finish() { take(frame) }
        #expect(framer.bufferedBytes == 0)
        return frames
    }

    static let streams: [(String, [Expected])] = [
        ("", []), ("\n", []), ("\n\r\n \t\r\n\n", []), ("a", [.line("a")]), ("a\n", [.line("a")]),
        ("a\r\n", [.line("a\r")]), ("\na\n\nb\n \nc", [.line("a"), .line("b"), .line("c")]), (" a \n", [.line(" a ")]),
        ("1234567890\n", [.line("1234567890")]), ("1234567890", [.line("1234567890")]),
        ("12345678901\n", [.oversize("12345678901")]), ("12345678901", [.oversize("12345678901")]),
        ("a\n12345678901234567890\nb\n", [.line("a"), .oversize("12345678901"), .line("b")]),
        (
            "12345678901234567890\n12345678901234567890\n\nb",
            [.oversize("12345678901"), .oversize("12345678901"), .line("b")]
        ),
        ("           \nb", [.oversize("           "), .line("b")]), ("héllo\n", [.line("héllo")]),
    ]

    @Test("gives the same frames wherever the stream is cut", arguments: streams)
    func cuts(_ stream: String, _ expected: [Expected]) {
        /// How much of an oversize line is seen depends on the chunks; that it begins the line does not.
        func agrees(_ frames: [Expected]) -> Bool {
            frames.count == expected.count
                && zip(frames, expected).allSatisfy { frame, expected in
                    guard case .oversize(let head) = frame, case .oversize(let least) = expected else {
                        return frame == expected
                    }
                    return head.hasPrefix(least)
                }
        }
        let bytes = Array(stream.utf8)
        #expect(agrees(Self.frames([bytes], cap: 10)))
        #expect(agrees(Self.frames(bytes.map { [$0] }, cap: 10)))
        for first in 0...bytes.count {
            #expect(agrees(Self.frames([Array(bytes[..<first]), Array(bytes[first...])], cap: 10)))
            for second in first...bytes.count {
                let chunks = [bytes[..<first], bytes[first..<second], bytes[second...]].map { Array($0) }
                #expect(agrees(Self.frames(chunks, cap: 10)))
            }
        }
    }

    @Test("gives the same frames when chunks are appended before the last one is used up")
    func eagerAppend() {
        var framer = LineFramer(maxMessageBytes: 100)
        var lines: [String] = []
        func take(_ frame: LineFramer.Frame?) {
            if case .line(let line) = frame { lines.append(String(buffer: line)) }
        }
        for chunk in ["a\nbb\ncc", "c\nd", "d\n", "e\n"] {
            framer.append(buffer(chunk))
            take(framer.next())
        }
        while let frame = framer.finish() { take(frame) }
        #expect(lines == ["a", "bb", "ccc", "dd", "e"])
    }

    @Test("reports an oversize line as soon as the cap is passed, once, with a bounded head")
    func oversize() {
        var framer = LineFramer(maxMessageBytes: 10_000)
        framer.append(buffer("{\"id\":1," + String(repeating: "x", count: 9_992)))
        #expect(framer.next() == nil)
        framer.append(buffer("y"))
        guard case .oversize(let head) = framer.next() else {
            Issue.record("10,001 bytes are more than the cap")
            return
        }
        #expect(head.readableBytes == LineFramer.headByteCount)
        #expect(String(buffer: head).hasPrefix("{\"id\":1,xxx"))
        #expect(framer.bufferedBytes == 0)
        for _ in 0..<10 {
            framer.append(buffer(String(repeating: "z", count: 50_000)))
            #expect(framer.next() == nil)
            #expect(framer.bufferedBytes == 0)
        }
        framer.append(buffer("z\nnext\n"))
        guard case .line(let line) = framer.next() else {
            Issue.record("the line behind an oversize one is lost")
            return
        }
        #expect(String(buffer: line) == "next")
        #expect(framer.next() == nil)
        #expect(framer.finish() == nil)
    }

    @Test("copies nothing of lines that arrive in one chunk")
    func sharesMemory() {
        var framer = LineFramer(maxMessageBytes: 1_000)
        let chunk = buffer("first line\nsecond line\nrest")
        framer.append(chunk)
        guard case .line(let first) = framer.next(), case .line(let second) = framer.next() else {
            Issue.record("two lines are complete")
            return
        }
        let base = chunk.withUnsafeReadableBytes(\.baseAddress)
        #expect(first.withUnsafeReadableBytes(\.baseAddress) == base)
        #expect(second.withUnsafeReadableBytes(\.baseAddress) == base.map { $0 + 11 })
        #expect(framer.next() == nil)
        #expect(framer.bufferedBytes == 4)
    }

    @Test("cuts random streams as splitting the whole would", arguments: 0..<60 as Range<UInt64>)
    func random(_ seed: UInt64) {
        var dice = Dice(seed: seed)
        let alphabet = Array("ab \r\n".utf8)
        let stream = (0..<2_000).map { _ in alphabet.randomElement(using: &dice) ?? 0 }
        var chunks: [[UInt8]] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...60, using: &dice)
            chunks.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        let expected = stream.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
            .filter { !$0.utf8.allSatisfy { $0 == 0x20 || $0 == 0x0D } }
        #expect(Self.frames(chunks, cap: 3_000) == expected.map(Expected.line))
    }
}
