import JSONRPCWire
import NIOCore
import Testing

@Suite("Spliced messages")
struct SplicedMessageTests {
    /// One replacement, as the test and as the message know it.
    struct Edit {
        var range: Range<Int>
        var text: String
    }

    @Test("equals the edited text, for random texts and edits in any order", arguments: 0..<400 as Range<UInt64>)
    func random(_ seed: UInt64) {
        var dice = Dice(seed: seed)
        let source = (0..<Int.random(in: 6...80, using: &dice)).map { _ in UInt8.random(in: 0x20...0x7E, using: &dice) }
        let bytes = buffer(source)

        // Up to three disjoint ranges, none of them empty; offset 0 is never a member.
        let cuts = (1...source.count).shuffled(using: &dice).prefix(6).sorted()
        let edits = (0..<Int.random(in: 0...3, using: &dice)).map { index in
            Edit(
                range: cuts[index * 2]..<cuts[index * 2 + 1],
                text: String(UInt64.random(in: 0...(1 << UInt64.random(in: 1...60, using: &dice)), using: &dice)))
        }
        var expected = source
        for edit in edits.reversed() { expected.replaceSubrange(edit.range, with: Array(edit.text.utf8)) }

        var message = SplicedMessage(bytes)
        for edit in edits.shuffled(using: &dice) {
            let range = ByteRange(edit.range.lowerBound, edit.range.upperBound)
            switch Int.random(in: 0..<3, using: &dice) {
            case 0: message.replace(range, withBytes: buffer(edit.text))
            case 1: message.replace(range, withInteger: UInt64(edit.text) ?? 0)
            default:
                message.replace(
                    range, with: Lexeme(ByteRange(1, 1 + edit.text.utf8.count), in: buffer(" " + edit.text)))
            }
        }

        #expect(message.byteCount == expected.count)
        #expect(Array(message.rendered().readableBytesView) == expected)
        var written = ByteBuffer(string: "before")
        message.write(to: &written)
        #expect(Array(written.readableBytesView) == Array("before".utf8) + expected)
        var pieces: [UInt8] = []
        message.forEachPiece {
            #expect($0.readableBytes > 0)
            pieces += $0.readableBytesView
        }
        #expect(pieces == expected)
    }

    @Test("changes an id and a progress token in place")
    func example() throws {
        let message = try scanned(
            #"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"x","_meta":{"progressToken":"p"}}}"#)
        var spliced = SplicedMessage(message.bytes)
        spliced.replace(message.scan[.metaProgressToken], withInteger: 78)
        spliced.replace(message.scan[.id], withInteger: 77)
        let expected =
            #"{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":78}}}"#
        #expect(String(buffer: spliced.rendered()) == expected)
        #expect(MessageScanner.standard.scan(spliced.rendered()).message?.kind == .request)
    }

    @Test("shares memory with the original where nothing is replaced")
    func verbatim() throws {
        let bytes = buffer(String(repeating: "x", count: 100))
        let message = SplicedMessage(bytes)
        #expect(
            message.rendered().withUnsafeReadableBytes(\.baseAddress) == bytes.withUnsafeReadableBytes(\.baseAddress))
        var pieces: [UnsafeRawPointer?] = []
        message.forEachPiece { pieces.append($0.withUnsafeReadableBytes(\.baseAddress)) }
        #expect(pieces == [bytes.withUnsafeReadableBytes(\.baseAddress)])
    }
}
