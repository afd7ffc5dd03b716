import JSONRPCWire
import NIOCore
import Testing

@testable import OutputSanitizer

@Suite("Properties on random and adversarial text")
struct PropertyTests {
    /// What markup is made of, so that random texts are more often markup than not.
    static let pieces = [
        "<", ">", "</", "/>", "<b>", "</b>", "<p>", "<div ", "<a href='", "\"", "'", "=", "<!--", "-->", "--!>", "<!",
        "<?", "-", "!", "![", "[", "]", "](", ")", "(", "[a](b)", "[](", "`", "```", "~~~", "````", "system", "user\n",
        "\n", " ", "\t", "\r", "\u{A0}", "\u{200B}", "\u{202E}", "\u{AD}", "\u{FEFF}", "\u{E0041}", "\u{378}",
        "\u{7}", "\u{7F}", "\u{FE0F}", "\u{301}", "\u{2003}", "é", "中文", "😀", "&amp;", "\\", "\\u003c", "\\n", "\\\"",
        "{\"a\":\"", "\"}", "[\"", "\"]", ",", "1", "word", "scr", "ipt", "h1", "/",
    ]

    static func text(_ dice: inout Dice, maxCount: Int = 14) -> String {
        (0..<Int.random(in: 0...maxCount, using: &dice)).map { _ in pieces.randomElement(using: &dice) ?? "" }.joined()
    }

    /// JSON with such texts as names and values, itself to stand in a string.
    static func json(_ dice: inout Dice, _ depth: Int = 0) -> String {
        func string(_ dice: inout Dice) -> String {
            let isNested = depth < 3 && Int.random(in: 0..<3, using: &dice) == 0
            return "\"\(spelling(of: isNested ? json(&dice, depth + 1) : text(&dice, maxCount: 6), &dice))\""
        }
        switch Int.random(in: 0..<(depth < 3 ? 5 : 2), using: &dice) {
        case 0 where depth > 0: return string(&dice)
        case 1 where depth > 0: return ["1", "-0.5e3", "true", "null", "[]", "{}"].randomElement(using: &dice) ?? ""
        case 0...2:
            let items = (0..<Int.random(in: 0...3, using: &dice)).map { _ in
                Bool.random(using: &dice) ? string(&dice) : json(&dice, depth + 1)
            }
            return "[" + items.joined(separator: ", ") + "]"
        default:
            let members = (0..<Int.random(in: 0...3, using: &dice)).map { _ in
                "\"\(spelling(of: text(&dice, maxCount: 2), &dice))\" : \(string(&dice))"
            }
            return " {" + members.joined(separator: ",\n") + "}"
        }
    }

    /// The text between the quotes of a string, with some characters escaped that need not be.
    static func spelling(of text: String, _ dice: inout Dice) -> String {
        let style = Int.random(in: 0..<4, using: &dice)
        return text.unicodeScalars.map { scalar in
            switch style {
            case 0, 1: return spelled(String(scalar))
            case 2 where Int.random(in: 0..<4, using: &dice) > 0: return spelled(String(scalar))
            default:
                return String(scalar).utf16.map { unit in
                    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &dice))
                    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }.joined()
            }
        }.joined()
    }

    static func scalars(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }

    /// Compares with the oracle, and checks that doing it again changes nothing.
    private static func check(_ text: String, _ stages: SanitizerStages, _ oracle: Oracle, _ dice: inout Dice) throws {
        let spelling = spelling(of: text, &dice)
        let output = try sanitizedString(spelling, stages)
        let expected = OracleJSON.normalized(oracle.string(scalars(text)))
        let actual = OracleJSON.normalized(scalars(try unescaped(output)))
        if actual != expected {
            Issue.record(
                "\(spelling): \(output), the oracle says \(String(String.UnicodeScalarView(expected)).debugDescription)"
            )
        }
        if try sanitizedString(output, stages) != output { Issue.record("\(spelling): changes again after \(output)") }
        if expected == OracleJSON.normalized(scalars(text)), output != spelling {
            Issue.record("\(spelling): nothing had to change, but it reads \(output)")
        }
    }

    @Test("a text becomes what the oracle says, once and for all", arguments: 0..<16 as Range<UInt64>)
    func texts(_ seed: UInt64) throws {
        var dice = Dice(seed: seed)
        for _ in 0..<1_000 { try Self.check(Self.text(&dice), .all, Oracle(), &dice) }
    }

    @Test("JSON in a string does too, value by value", arguments: 16..<24 as Range<UInt64>)
    func embedded(_ seed: UInt64) throws {
        var dice = Dice(seed: seed)
        for _ in 0..<500 {
            var text = Self.json(&dice)
            if Int.random(in: 0..<4, using: &dice) == 0 { text = "<b>" + text }
            try Self.check(text, .all, Oracle(), &dice)
        }
    }

    @Test(
        "so it is with any choice of stages",
        arguments: [
            ([], []), (.invisible, [.invisible]), (.markup, [.markup]), (.codeFences, [.codeFences]),
            ([.invisible, .markup], [.invisible, .markup]), ([.invisible, .codeFences], [.invisible, .codeFences]),
            ([.markup, .codeFences], [.markup, .codeFences]),
        ] as [(SanitizerStages, Set<Oracle.Stage>)])
    func someStages(_ stages: SanitizerStages, _ same: Set<Oracle.Stage>) throws {
        var dice = Dice(seed: 28 + UInt64(stages.rawValue))
        for round in 0..<600 {
            let text = round % 3 == 0 ? Self.json(&dice) : Self.text(&dice)
            try Self.check(text, stages, Oracle(stages: same), &dice)
        }
    }

    @Test("no tag, bidi control or invisible scalar survives in a text", arguments: 40..<48 as Range<UInt64>)
    func survivors(_ seed: UInt64) throws {
        var dice = Dice(seed: seed)
        for _ in 0..<600 {
            // Quotes and `</` may make literal text of what looks like a tag.
            let scalars = Self.scalars(Self.text(&dice)).filter { !"\"'/\\{[".unicodeScalars.contains($0) }
            let text = String(String.UnicodeScalarView(scalars))
            let output = try sanitizedText(text)
            #expect(!output.unicodeScalars.contains { Oracle.isInvisible($0) || $0 == "\u{A0}" }, "\(text)")
            #expect(output.firstRange(of: #/<[a-zA-Z!?][^>]*>/#) == nil, "\(text): \(output)")
        }
    }

    @Test("a text without markup or anything invisible keeps every byte", arguments: 48..<56 as Range<UInt64>)
    func clean(_ seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let words = [
            "rule #12:", "allow", "10.1.2.3", "a < b", "x > 0", "Grüße", "中文", "👍🏽", "[draft]", "(prod)", "Q&A",
            "```swift\n",
            "`code`", "~", "\n", "\t", "!", "C:\\temp", "fé\u{301}", "❤\u{FE0F}", "\u{2003}", "{\"a\": [1]}",
            "\"quoted\"",
            "if a<=b {", "don't", "|---|", "- item", "\u{2028}",
        ]
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0...20, using: &dice)).map { _ in
                words.randomElement(using: &dice) ?? ""
            }.joined(separator: " ")
            let spelling = Self.spelling(of: text, &dice)
            #expect(try sanitizedString(spelling) == spelling)
        }
    }
}
