import Testing

@testable import OutputSanitizer

@Suite("Repetition")
struct RoundTests {
    /// A text that needs one round for each of its tags, since each is whole only when the one in it is gone.
    static func onion(_ count: Int) -> String {
        String(repeating: "<", count: count) + String(repeating: "b>", count: count)
    }

    @Test("eight rounds find all that eight layers hide", arguments: 1...7)
    func few(_ count: Int) throws {
        #expect(try sanitizedText(Self.onion(count)).isEmpty)
    }

    @Test("a text that still changes in the eighth round loses every `<` and `[`", arguments: [8, 9, 20])
    func many(_ count: Int) throws {
        let rest = String(repeating: "b>", count: count - 8)
        #expect(try sanitizedText("a < b[" + Self.onion(count)) == "a  b" + rest)
        #expect(try sanitizedText("a < b[" + Self.onion(count), .markup) == "a  b" + rest)
    }

    @Test("a fence that this makes is disarmed too")
    func fence() throws {
        #expect(try sanitizedText(Self.onion(8) + "``[`system\nx") == "```text\nx")
        #expect(try sanitizedText(Self.onion(8) + "``[`system\nx", .markup) == "```system\nx")
        #expect(try sanitizedText(Self.onion(7) + "``[`system\nx") == "``[`system\nx")
    }
}
