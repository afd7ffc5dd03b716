import Testing

@testable import GatewayConfiguration

@Suite("Mutated files")
struct MutationTests {
    /// SplitMix64: the same mutations in every run.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    static let tokens = [
        "\n", "  ", "\t", ": ", "- ", "{", "}", "[", "]", "\"", "'", "&a ", "*a", "!!int ", "<<: ", "| ", "> ", "? ",
        "${", "${A}", "${A:-", "~", "null", "true", "-1", "1e999", "0x", "\u{0}", "\u{85}", "\u{2028}", "é", "\\", "#",
        "---\n", "...\n", "%YAML 1.1\n", "policy: file_auditing\n", "_global: ", ", a: b", "\r", "\u{FEFF}", "🙂",
    ].map { Array($0.utf8) }

    @Test("any mutation gives settings or at least one problem, every one of them in the file", arguments: 0..<8)
    func mutate(_ seed: UInt64) throws {
        let original = Array(try GoldenCaseTests.text(of: "valid-full").utf8)
        var generator = Generator(state: seed)
        for _ in 0..<250 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &generator) { Self.mutate(&bytes, &generator) }
            do throws(ConfigurationError) {
                let loaded = try ConfigurationFixture.read(bytes, name: "mutated")
                #expect(!loaded.settings.upstream.command.isEmpty)
                #expect(!loaded.settings.transports.isEmpty)
                #expect(!loaded.settings.summary().isEmpty)
            } catch {
                let lines = bytes.count { $0 == 10 || $0 == 13 } + bytes.count { $0 == 0xC2 || $0 == 0xE2 } + 1
                for problem in error.problems {
                    #expect(problem.line.map { (1...lines + 1).contains($0) } ?? true)
                    #expect(problem.column.map { $0 >= 1 } ?? (problem.line == nil))
                    #expect(!problem.message.isEmpty && problem.message.unicodeScalars.allSatisfy(isPrintable))
                }
            }
        }
    }

    static func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
        let at = Int.random(in: 0...bytes.count, using: &generator)
        let end = min(bytes.count, at + Int.random(in: 0...12, using: &generator))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes.removeSubrange(at..<end)
        case 1: bytes.insert(contentsOf: tokens[Int.random(in: tokens.indices, using: &generator)], at: at)
        case 2: bytes.replaceSubrange(at..<end, with: tokens[Int.random(in: tokens.indices, using: &generator)])
        case 3: bytes.insert(contentsOf: bytes[at..<end], at: at)
        case 4: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: at)
        default: bytes.removeSubrange(end...)
        }
    }
}
