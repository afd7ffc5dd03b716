import Testing

@testable import GatewayConfiguration

@Suite("CommandWords")
struct CommandWordsTests {
    private func words(_ text: String, home: String? = "/h") throws -> [String] {
        let pieces = try Interpolation(text, environment: ["V": "a b'\"\\", "E": "", "T": "~/t"]).pieces
        return try CommandWords(pieces, homeDirectory: home).words
    }

    @Test(
        "words are split by the shell's quoting rules",
        arguments: [
            ("", []), (" \t\n ", []), ("a b", ["a", "b"]), ("  a   b  ", ["a", "b"]), ("a\\ b", ["a b"]),
            ("'a b'c", ["a bc"]), ("''", [""]), ("a '' b", ["a", "", "b"]), ("\"a'b\"", ["a'b"]), ("'a\\b'", ["a\\b"]),
            ("\"a\\\"b\\\\c\\d\\$\\`\"", ["a\"b\\c\\d$`"]), ("a\\\nb", ["ab"]), ("\"a\\\nb\"", ["ab"]),
            ("a#b #c", ["a#b", "#c"]),
            ("$HOME *.txt a|b", ["$HOME", "*.txt", "a|b"]), ("é 🙂", ["é", "🙂"]),
        ])
    func split(_ text: String, _ expected: [String]) throws {
        #expect(try words(text) == expected)
    }

    @Test(
        "an unquoted '~/' that begins a word is the home directory",
        arguments: [
            ("~/x ~", ["/h/x", "/h"]), ("~/'a b'", ["/h/a b"]),
            (
                "'~/x' \"~/x\" \\~/x ~'/x' x~/y --a=~/y ~root/x",
                [
                    "~/x", "~/x", "~/x", "~/x", "x~/y", "--a=~/y", "~root/x",
                ]
            ), ("'~' ${T}", ["~", "~/t"]), ("~/${V}", ["/h/a b'\"\\"]),
        ])
    func home(_ text: String, _ expected: [String]) throws {
        #expect(try words(text) == expected)
    }

    @Test(
        "a value that was put in is never split or unquoted",
        arguments: [
            ("${V}", ["a b'\"\\"]), ("x${V}y z", ["xa b'\"\\y", "z"]), ("'${V}' \"${V}\"", ["a b'\"\\", "a b'\"\\"]),
            ("a ${E} b", ["a", "b"]), ("a '${E}' x${E}", ["a", "", "x"]), ("${E}a${N:-b c}", ["ab c"]),
            ("\\${V}", ["a b'\"\\"]),
        ])
    func values(_ text: String, _ expected: [String]) throws {
        #expect(try words(text) == expected)
    }

    @Test("what is opened and never closed is an error", arguments: ["'a", "\"a", "a\\", "\"a\\", "'a\"", "a 'b' \"c"])
    func unterminated(_ text: String) {
        #expect(throws: CommandWords.Failure.self) { try words(text) }
    }

    @Test("without a home directory only a '~/' that would need it is an error")
    func noHome() throws {
        #expect(try words("a '~/b'", home: nil) == ["a", "~/b"])
        #expect(throws: CommandWords.Failure.self) { try words("a ~/b", home: nil) }
    }
}

@Suite("Interpolation")
struct InterpolationTests {
    @Test(
        "references are replaced once",
        arguments: [
            ("${A}", "${B}"), ("x${A}y${A}", "x${B}y${B}"), ("${N:-d}${E:-d}${E}", "dd"), ("${N:-}", ""),
            ("$A $$ {A} $", "$A $$ {A} $"),
            ("${N:-a:-b}", "a:-b"), ("${N:-${A}", "${A"), ("", ""),
        ])
    func replaced(_ text: String, _ expected: String) throws {
        #expect(try Interpolation(text, environment: ["A": "${B}", "B": "b", "E": ""]).text == expected)
    }

    @Test(
        "what is no reference, or unset without a default, is an error",
        arguments: [
            ("${A", false), ("${}", false), ("${A-b}", false), ("${A:b}", false), ("${ A}", false), ("${1}", false),
            ("x${A}", true),
        ])
    func refused(_ text: String, _ isUnset: Bool) {
        let error = #expect(throws: Interpolation.Failure.self) { try Interpolation(text, environment: [:]) }
        #expect(error?.isUnset == isUnset)
    }
}
