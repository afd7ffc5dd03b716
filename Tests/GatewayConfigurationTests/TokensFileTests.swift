import Testing

@testable import GatewayConfiguration

@Suite("TokensFile")
struct TokensFileTests {
    static let alice = ConfigurationFixture.aliceDigest
    static let bob = ConfigurationFixture.bobDigest

    private func read(_ text: String, mode: UInt32 = 0o600, isOwn: Bool = true) -> TokensFile {
        TokensFile(RegularFile(bytes: Array(text.utf8), mode: mode, isOwn: isOwn), path: "/t")
    }

    @Test(
        "comments, blank lines, CRLF, a byte order mark and a missing last line end make no difference",
        arguments: [
            "alice:\(alice)\nbob:\(bob)\n", "alice:\(alice)\nbob:\(bob)", "# a\n\n  alice:\(alice)\t\n#\nbob:\(bob) \n",
            "alice:\(alice)\r\n\r\nbob:\(bob)\r\n", "\u{FEFF}alice:\(alice.uppercased())\nbob:\(bob)\n",
        ])
    func layout(_ text: String) {
        let file = read(text)
        #expect(file.problems.isEmpty && file.warnings.isEmpty)
        #expect(
            file.tokens == [
                "alice": TokenDigest(of: "alice-token".utf8), "bob": TokenDigest(of: "bob-token".utf8),
            ])
    }

    private static let shape = "expected name:sha256, a name, a colon and the SHA-256 of the token in hex"
    private static let digits = "expected the SHA-256 of the token in hex, 64 digits right behind the colon"
    private static let name = "the name is not valid (valid: 1 to 64 letters, digits, or one of . _ @ -)"

    @Test(
        "every mistake is named with its line, and nothing of the line shows",
        arguments: [
            ("hunter2", ["/t:1: \(shape)"]), ("a:hunter2\n\nb:x", ["/t:1: \(digits)", "/t:3: \(digits)"]),
            ("a: \(alice)", ["/t:1: \(digits)"]), ("a:\(alice)0", ["/t:1: " + follows]),
            ("a:\(alice)  -", ["/t:1: " + follows]), (":\(alice)", ["/t:1: \(name)"]),
            ("hunter2 x:\(alice)", ["/t:1: \(name)"]), ("é:\(alice)", ["/t:1: \(name)"]),
            ("\(String(repeating: "a", count: 65)):\(alice)", ["/t:1: \(name)"]),
            ("a:\(alice)\na:\(bob)", ["/t:2: duplicate name 'a' (first in line 1); keep one"]),
            ("a:\(alice)\nb:\(alice)", ["/t:2: 'b' has the token of line 1; give each name a token of its own"]),
            (
                "a:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                ["/t:1: 'a' has the digest of an empty token; choose a token and hash that"]
            ),
            ("a:\(alice.dropLast())\u{661}", ["/t:1: \(digits)"]),
        ])
    func mistakes(_ text: String, _ expected: [String]) {
        let problems = read(text).problems.map(\.description)
        #expect(problems == expected)
        #expect(!problems.contains { $0.contains("hunter2") })
    }

    private static let follows = "expected the SHA-256 of the token in hex; remove what follows the 64 digits"

    @Test(
        "a file that others may read or change is worth a warning, a service's own group is not",
        arguments: [
            (0o600, true, nil), (0o400, true, nil), (0o640, false, nil), (0o640, true, "its group may read it"),
            (0o660, false, "its group may change it"), (0o604, false, "every local user may read it"),
            (0o666, false, "every local user may change it"),
        ] as [(UInt32, Bool, String?)])
    func protection(_ mode: UInt32, _ isOwn: Bool, _ exposure: String?) {
        let warnings = read("a:\(Self.alice)", mode: mode, isOwn: isOwn).warnings.map(\.description)
        #expect(warnings == (exposure.map { ["/t: \($0); chmod it to 0600 or 0640"] } ?? []))
    }

    @Test("a file without a token lets nobody in, which is worth a warning", arguments: ["", "\n# nobody\n"])
    func empty(_ text: String) {
        #expect(read(text).tokens.isEmpty)
        #expect(read(text).warnings.map(\.description) == ["/t: holds no token: nobody is let in"])
    }

    @Test("bytes that are no text are refused in their line")
    func noText() {
        let file = TokensFile(RegularFile(bytes: [0x23, 0xFF, 0x0A, 0xFF, 0x3A, 0x00]), path: "/t")
        #expect(file.problems.map(\.line) == [2])
    }
}

@Suite("TokenDigest")
struct TokenDigestTests {
    @Test("hex and the token itself give the same digest, in either case")
    func hex() throws {
        let digest = TokenDigest(of: "alice-token".utf8)
        let hex = ConfigurationFixture.aliceDigest
        for text in [hex, hex.uppercased()] {
            #expect(try #require(TokenDigest(hex: text)).matches(digest))
        }
        #expect(TokenDigest(hex: hex.dropLast()) == nil)
        #expect(TokenDigest(hex: hex + "0") == nil)
        #expect(TokenDigest(hex: hex.dropLast() + "g") == nil)
    }

    @Test("one different digit anywhere is another digest")
    func everyDigit() throws {
        let digits = Array(ConfigurationFixture.aliceDigest)
        let digest = try #require(TokenDigest(hex: String(digits)))
        for index in digits.indices {
            var other = digits
            other[index] = digits[index] == "0" ? "1" : "0"
            #expect(try !#require(TokenDigest(hex: String(other))).matches(digest))
        }
    }
}
