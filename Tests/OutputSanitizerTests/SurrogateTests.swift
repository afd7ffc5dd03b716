import JSONRPCWire
import Testing

@testable import OutputSanitizer

@Suite("Lone surrogates")
struct SurrogateTests {
    @Test(
        "a lone half stays as it was sent",
        arguments: [
            (#"a\ud83db"#, #"a\ud83db"#), (#"\ude00\uD83D"#, #"\ude00\uD83D"#),
            // Neither of these can be joined with another half.
            (#"\ud83d<b>x"#, #"\ud83dx"#), (#"\ude00<b>\ud83d"#, #"\ude00\ud83d"#),
            (#"{\"a\":\"\ud83d\\udc00 <b>\"}"#, #"{\"a\":\"\ud83d\\udc00 \"}"#),
        ])
    func kept(_ input: String, _ output: String) throws {
        #expect(try sanitizedString(input) == output)
        #expect(try sanitizedString(output) == output)
    }

    @Test(
        "taking something out never joins two halves to a scalar",
        arguments: [
            (#"\udb40<b>\udc41"#, "\u{FFFD}\u{FFFD}"),
            (#"\ud83d\u200b\ude00"#, "\u{FFFD}\u{FFFD}"),
            (#"\udb40\udb40\udc41\udc41"#, "\u{FFFD}\u{FFFD}"),
            (#"\udb40[x](\udc41)"#, "\u{FFFD}x (\u{FFFD})"),
            (
                String(repeating: #"\udb40"#, count: 20) + String(repeating: #"\udc41"#, count: 20),
                String(repeating: "\u{FFFD}", count: 38)
            ),
        ])
    func joined(_ input: String, _ output: String) throws {
        #expect(try sanitizedString(input) == output)
        #expect(try sanitizedString(output) == output)
    }

    @Test("halves that meet from two levels of escapes are one scalar, and go if it is invisible")
    func levels() throws {
        // The outer escape is undone first, so whoever reads UTF-16 sees U+E0041 in the inner string.
        #expect(try sanitizedString(#"[\"\udb40\\udc41\"]"#) == #"[\"\"]"#)
        #expect(try sanitizedString(#"[\"\ud83d\\ude00 <b>\"]"#) == #"[\"\ud83d\\ude00 \"]"#)
    }
}
