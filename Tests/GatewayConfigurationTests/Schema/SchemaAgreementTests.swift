import Foundation
import Testing

@testable import GatewayConfiguration

/// Whole files: what the reader takes the schema takes, and what is wrong with a file's structure both refuse.
@Suite("Files under the schema")
struct SchemaAgreementTests {
    let schema: JSONSchema

    init() throws {
        schema = try ConfigurationSchemaTests.shipped()
    }

    /// nil for what is no YAML: no editor asks a schema then.
    private func refusals(_ bytes: [UInt8]) throws -> [JSONSchema.Problem]? {
        let document = YAMLDocument(bytes)
        guard document.problems.isEmpty, let root = document.root else { return nil }
        return try schema.problems(of: root)
    }

    private func problems(_ bytes: [UInt8]) -> [ConfigurationProblem] {
        do throws(ConfigurationError) {
            _ = try ConfigurationFixture.read(bytes, name: "test")
            return []
        } catch {
            // What is in the files that it names is beyond a schema too.
            return error.problems.filter {
                $0.file.hasSuffix(".yaml") && !$0.message.contains("is not available in this version")
            }
        }
    }

    private static func bytes(of name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: GoldenCaseTests.folder.appendingPathComponent("\(name).yaml")))
    }

    @Test("the schema takes every golden file that the reader takes", arguments: try GoldenCaseTests.names())
    func valid(_ name: String) throws {
        let bytes = try Self.bytes(of: name)
        guard problems(bytes).isEmpty else { return }
        #expect(try refusals(bytes) == [])
    }

    @Test(
        "the schema takes the shipped files",
        arguments: ["gatekit.yaml", "filesystem.yaml", "zscaler.yaml", "tutorials/2-implementing-audit-logging.yaml"])
    func shipped(_ name: String) throws {
        let path = ConfigurationReaderTests.shippedFolder + name
        #expect(try refusals(Array(Data(contentsOf: URL(fileURLWithPath: path)))) == [])
    }

    /// Problems that a schema can see: a key, a type, a word, a range. A variable's value it cannot see.
    private static let structural = [
        "unknown key '", "expected ", " is out of range: ", " is missing", "unknown transport '", "unknown format '",
        "unknown mode '", "unknown era '", "unknown sessions '", "unknown durability '", "unknown stage '",
        "unknown log level '", "unknown policy '", "unknown delimiter '", "unknown quote_style '",
        "unknown timestamp_precision '", " is no valid mode ", " is empty", " is for format ",
    ]

    @Test("what is wrong with a golden file's structure the schema refuses in its place")
    func invalid() throws {
        var checked = 0
        for name in try GoldenCaseTests.names() {
            let bytes = try Self.bytes(of: name)
            guard let refusals = try refusals(bytes) else { continue }
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            for problem in problems(bytes) where Self.structural.contains(where: problem.message.contains) {
                let line = try #require(problem.line)
                if lines[line - 1].contains("${") { continue }
                // A schema sees the number, and 384 is 0o600.
                if problem.message.contains("'384' is no valid mode") { continue }
                // Words of a command are beyond a schema.
                if problem.message.hasPrefix("proxy.upstream.command is empty") { continue }
                checked += 1
                // The schema blames the format, the reader the option that the format does not have.
                let isOfFormat = problem.message.contains(" is for format ")
                #expect(
                    isOfFormat && !refusals.isEmpty
                        || refusals.contains { $0.position.line == line && $0.position.column == problem.column },
                    "\(problem): \(refusals)")
            }
        }
        #expect(checked >= 60)
    }

    @Test("the reader takes no mutation that the schema refuses", arguments: 0..<6)
    func mutations(_ seed: UInt64) throws {
        let name = ["valid-full", "valid-formats", "valid-map-form"][Int(seed % 3)]
        let original = Array(try GoldenCaseTests.text(of: name).utf8)
        var generator = MutationTests.Generator(state: seed &+ 100)
        for _ in 0..<150 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) { MutationTests.mutate(&bytes, &generator) }
            guard problems(bytes).isEmpty else { continue }
            #expect(try refusals(bytes) == [], "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test("no value in the place of another one is refused by the schema alone")
    func replacements() throws {
        let values = [
            YAMLValue.plain("true"), .plain("1"), .plain("1.5"), .plain("0x10"), .plain("-1"), .plain("~"),
            .text("true"),
            .text(""), .text("x"), .text("${REGION}"), .text("${SECONDS_TEXT}"), .text("~/x"), .text("/x"),
            .text("x y"),
            .list([]), .list([.text("x")]), .map([]),
        ]
        var taken = 0
        for name in ["valid-full", "valid-formats"] {
            let root = try #require(YAMLDocument(Array(try GoldenCaseTests.text(of: name).utf8)).root)
            for place in 0..<root.count {
                for value in values {
                    var rest = place
                    let bytes = Array(root.replacing(&rest, value).yaml.utf8)
                    guard problems(bytes).isEmpty else { continue }
                    taken += 1
                    #expect(try refusals(bytes) == [], "\(String(decoding: bytes, as: UTF8.self))")
                }
            }
        }
        #expect(taken > 100)
    }

    @Test(
        "references are well-formed for both or for neither",
        arguments: [
            "${REGION}", "a${REGION}b", "${REGION:-}", "${A:-x}", "${A:-${B}", "${A:-a:b}", "$", "$$", "a$b{c}", "{}",
            "$${REGION}", "${", "${}", "${1A}", "${A-b}", "${A:b}", "${ A:-x}", "${A:-x", "${REGION}${", "${é:-x}",
        ])
    func references(_ text: String) throws {
        func file(_ value: YAMLValue) -> [UInt8] {
            let config = YAMLValue.map([("command", .text("server")), ("env", .map([("A", value)]))])
            return Array(YAMLValue.map([("proxy", .map([("upstream", config)]))]).yaml.utf8)
        }
        #expect(try refusals(file(.text(text)))?.isEmpty == problems(file(.text(text))).isEmpty)
    }

    @Test("names of variables are the same for both", arguments: ["A", "a_1", "1A", "A-B", "", "é", "A*", "?", "A B"])
    func variables(_ name: String) throws {
        func file(_ key: String, _ value: YAMLValue) -> [UInt8] {
            let config = YAMLValue.map([("command", .text("server")), (key, value)])
            return Array(YAMLValue.map([("proxy", .map([("upstream", config)]))]).yaml.utf8)
        }
        for bytes in [file("env", .map([(name, .text("x"))])), file("inherit", .list([.text(name)]))] {
            #expect(try refusals(bytes)?.isEmpty == problems(bytes).isEmpty)
        }
        for name in GatewaySwitches.names {
            #expect(try refusals(file("env", .map([(name, .text("x"))])))?.isEmpty == false)
            #expect(try refusals(file("inherit", .list([.text(name)])))?.isEmpty == false)
        }
    }

    @Test(
        "the characters that may quote and escape cells are the same for both",
        arguments: ["quote_char", "escape_char"])
    func characters(_ key: String) throws {
        for byte in UInt8(0x20)...0x7F where byte != UInt8(ascii: ",") {
            let cell = YAMLValue.map([(key, .text(String(Character(Unicode.Scalar(byte)))))])
            let config = YAMLValue.map([("output_file", .text("a")), ("format", .text("csv")), ("csv_config", cell)])
            let entry = YAMLValue.map([("policy", .text("file_auditing")), ("config", config)])
            let file = YAMLValue.map([
                ("proxy", .map([("upstream", .map([("command", .text("server"))]))])),
                ("plugins", .map([("auditing", .list([entry]))])),
            ])
            guard let refusals = try refusals(Array(file.yaml.utf8)) else { continue }
            #expect(refusals.isEmpty == problems(Array(file.yaml.utf8)).isEmpty, "\(cell.yaml)")
        }
    }
}

extension YAMLValue {
    /// How many values there are in it, itself included.
    fileprivate var count: Int {
        1 + items.reduce(0) { $0 + $1.count } + (entries ?? []).reduce(0) { $0 + $1.value.count }
    }

    /// The same with the value of this number, counted from itself in the order written, exchanged.
    fileprivate func replacing(_ number: inout Int, _ value: YAMLValue) -> YAMLValue {
        number -= 1
        if number == -1 { return value }
        switch content {
        case .scalar, .refused: return self
        case .sequence(let items): return .list(items.map { $0.replacing(&number, value) })
        case .mapping(let entries): return .map(entries.map { ($0.key, $0.value.replacing(&number, value)) })
        }
    }
}
