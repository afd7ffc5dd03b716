import Foundation
import Testing

@testable import GatewayConfiguration

@Suite("DotEnv")
struct DotEnvTests {
    struct Vector: Decodable, CustomTestStringConvertible {
        var text: String
        var override: Bool
        var start: [String: String]
        var env: [String: String]
        var loaded: Bool

        var testDescription: String { "\(text.debugDescription), override \(override)" }
    }

    static func vectors() throws -> [Vector] {
        let file = Bundle.module.resourceURL!.appendingPathComponent("Golden/dotenv.jsonl")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(Vector.self, from: Data($0.utf8)) }
    }

    @Test("a golden vector gives its environment", arguments: try vectors())
    func golden(_ vector: Vector) {
        let dotenv = DotEnv(Array(vector.text.utf8))
        let merged = dotenv.merged(process: vector.start, precedence: vector.override ? .file : .process)
        #expect(merged == vector.env)
        if !vector.loaded { #expect(!dotenv.problems.isEmpty) }
    }

    @Test(
        "a malformed line is a problem with its number, and the rest is read",
        arguments: [
            ("A B=1\nC=2", 1), ("C=2\nA=\"x\" junk", 2), ("C=2\n\n  # c\nA='x'y\n", 4), ("A=\"unterminated\nC=2", 1),
            ("C=2\r\n=1", 2), ("C='x\ny'\n''=1", 3), ("C=2\r'A=1", 2), ("'A=B'=1\nC=2", 1), ("A=\0\nC=2", 1),
        ])
    func malformed(_ text: String, _ line: Int) {
        let dotenv = DotEnv(Array(text.utf8))
        #expect(dotenv.problems.map(\.line) == [line])
        #expect(dotenv.bindings.map(\.name) == ["C"])
    }

    @Test("problems never show a value")
    func noValues() {
        let dotenv = DotEnv(Array("PASSWORD=\"hunter2\" hunter2\nhunter2 hunter2\n'TOKEN=hunter2".utf8))
        #expect(dotenv.problems.count == 3)
        #expect(!dotenv.problems.contains { $0.message.hasSuffix("hunter2") || $0.message.contains("\"hunter2") })
    }

    @Test("an escaped quote closes a value that has no other")
    func lastEscapedQuoteCloses() {
        #expect(DotEnv(Array(#"A='C:\'"#.utf8)).variables(process: [:], precedence: .file) == ["A": #"C:\"#])
    }

    @Test("a file that is not UTF-8 is a problem")
    func encoding() {
        #expect(
            DotEnv([0x41, 0x3D, 0xFF]).problems == [.init(line: 1, message: "not valid UTF-8; save the file as UTF-8")])
    }

    @Test("an empty file is valid and sets nothing")
    func empty() {
        let dotenv = DotEnv([])
        #expect(dotenv.problems.isEmpty)
        #expect(dotenv.merged(process: ["A": "1"], precedence: .file) == ["A": "1"])
    }

    @Test("of a name's repetitions the last counts, with its line")
    func lastWins() {
        let dotenv = DotEnv(Array("A=1\nB=2\nA=3\n".utf8))
        #expect(dotenv.variables(process: [:], precedence: .process) == ["A": "3", "B": "2"])
        #expect(dotenv.line(of: "A") == 3)
    }

    @Test("text that is cut or mixed at any place is read to its end")
    func neverStuck() {
        let text = Array("export 'A'=\"x\\\"${B:-c}\" # d\r\nB='\\'e\n'\n=\nC".utf8)
        for start in text.indices {
            for end in start...text.count {
                let dotenv = DotEnv(Array(text[start..<end]))
                #expect(dotenv.bindings.count + dotenv.problems.count <= 6)
            }
        }
    }
}
