import Testing

@testable import OutputSanitizer

@Suite("Work on hostile text")
struct LinearTimeTests {
    struct Attack: CustomTestStringConvertible {
        var testDescription: String
        /// A text of about this many bytes.
        var text: @Sendable (Int) -> String

        init(_ description: String, _ text: @escaping @Sendable (Int) -> String) {
            testDescription = description
            self.text = text
        }

        /// The same piece over and over.
        init(repeating piece: String, behind head: String = "") {
            self.init(head + piece) { head + String(repeating: piece, count: $0 / piece.utf8.count) }
        }
    }

    @Test(
        "grows with the text and no faster",
        arguments: [
            Attack(repeating: "<"), Attack(repeating: "["), Attack(repeating: "`"), Attack(repeating: "~"),
            Attack(repeating: "!["), Attack(repeating: "[]("), Attack(repeating: "[a]("), Attack(repeating: "![]()"),
            Attack(repeating: "](", behind: "[["), Attack(repeating: "<a"), Attack(repeating: "<a b='"),
            Attack(repeating: "</ "), Attack(repeating: "<!--"), Attack(repeating: "<!-- --!"), Attack(repeating: "<?"),
            Attack(repeating: "--", behind: "<!--"), Attack(repeating: "```a"), Attack(repeating: "``` a\n"),
            Attack(repeating: "a", behind: "```"), Attack(repeating: "\u{301}"), Attack(repeating: "\u{200B}"),
            Attack(repeating: "\\"), Attack(repeating: "\n"), Attack(repeating: "[\"<b>\"],", behind: "["),
            Attack("nested brackets") { String(repeating: "[", count: $0 / 2) + String(repeating: "]", count: $0 / 2) },
            Attack("nested objects") {
                String(repeating: "{\"a\":", count: $0 / 6) + "\"<b>\"" + String(repeating: "}", count: $0 / 6)
            },
            Attack("an onion of tags") { RoundTests.onion($0 / 3) },
            Attack("an onion of links") {
                String(repeating: "[a", count: $0 / 6) + String(repeating: "](b)", count: $0 / 6)
            },
            Attack("strings in strings, cheaply escaped") { count in
                // Each level makes a quote but five bytes longer.
                var text = "<b>"
                var quote = "\""
                while text.utf8.count < count {
                    text = "[" + quote + text + quote + "]"
                    quote = "\\u005c" + (quote == "\"" ? "u0022" : String(quote.dropFirst()))
                }
                return text
            },
        ])
    func linear(_ attack: Attack) {
        let small = Self.work(attack.text(4_000))
        let large = Self.work(attack.text(16_000))
        #expect(large.bytes <= large.length * 400, "\(large)")
        // Four times the text, and a little for what is looked at beyond each end.
        #expect(large.bytes <= small.bytes * 5, "\(small), \(large)")
    }

    @Test("is counted: the same text twice is twice the work")
    func counting() {
        let text = String(repeating: "<b>x", count: 100)
        // The first two stages both read all of it.
        #expect(Self.work(text).bytes >= text.utf8.count * 2)
        #expect(Self.work(text + text).bytes >= Self.work(text).bytes * 2)
    }

    private static func work(_ text: String) -> (length: Int, bytes: Int) {
        let bytes = Array(spelled(text).utf8)
        var sanitizer = TextSanitizer(.all)
        _ = sanitizer.sanitize(bytes.span.bytes)
        return (bytes.count, sanitizer.bytesRead)
    }
}
