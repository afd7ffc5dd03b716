import JSONRPCWire
import NIOCore
import Testing

@Suite("Lexemes")
struct LexemeTests {
    static func lexeme(_ json: String) -> Lexeme {
        Lexeme(ByteRange(1, 1 + json.utf8.count), in: buffer(" \(json),"))
    }

    static func written(_ lexeme: Lexeme) -> String {
        var bytes = ByteBuffer(string: "<")
        lexeme.write(to: &bytes)
        bytes.writeString(">")
        return String(buffer: bytes)
    }

    @Test("writes back what was sent, at every length", arguments: 0...40)
    func echo(_ length: Int) {
        let json = "\"" + String("abcdefghijklmnopqrstuvwxyz0123456789-_.:".prefix(length)) + "\""
        #expect(Self.written(Self.lexeme(json)) == "<\(json)>")
        #expect(Self.lexeme(json).byteCount == json.utf8.count)
        #expect(Self.lexeme(json) == Self.lexeme(json))
        #expect(Self.lexeme(json) != Self.lexeme("\"x" + json.dropFirst()))
    }

    @Test(
        "shows strings unescaped and all else as sent",
        arguments: [
            ("\"a\"", "a"), (#""\u00e9\n""#, "é\n"), (#""\ud800""#, #""\ud800""#), ("1.50", "1.50"), ("null", "null"),
            ("\"\"", ""), ("-0", "-0"), ("\"an id of more than fifteen bytes\"", "an id of more than fifteen bytes"),
        ])
    func display(_ json: String, _ expected: String) {
        #expect(Self.lexeme(json).display == expected)
    }

    @Test(
        "spells integers",
        arguments: [0, 9, 10, 12_345_678, 123_456_789, 999_999_999_999_999, 1_000_000_000_000_000, .max] as [UInt64])
    func integers(_ integer: UInt64) {
        #expect(Self.written(Lexeme(integer: integer)) == "<\(integer)>")
        #expect(Lexeme(integer: integer) == Self.lexeme("\(integer)"))
    }

    @Test("stands as null for what is absent")
    func null() {
        #expect(Lexeme(.absent, in: buffer("{}")) == .null)
        #expect(Self.written(.null) == "<null>")
    }
}
