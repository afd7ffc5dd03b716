import Foundation
import Testing

@testable import GatewayConfiguration

@Suite("Golden cases")
struct GoldenCaseTests {
    static let folder = Bundle.module.resourceURL!.appendingPathComponent("Golden/cases")

    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    static func text(of name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent("\(name).yaml"), encoding: .utf8)
    }

    static func outcome(of name: String) throws -> String {
        let yaml = try Data(contentsOf: folder.appendingPathComponent("\(name).yaml"))
        do throws(ConfigurationError) {
            let loaded = try ConfigurationFixture.read(Array(yaml), name: name)
            let settings = loaded.settings.summary().map { "\($0.key): \($0.value)" }
            let environment = loaded.settings.upstream.environment.sorted { $0.key < $1.key }
                .map { "env \($0.key)=\($0.value)" }
            let words = loaded.settings.upstream.command.map { "word \($0)" }
            let warnings = loaded.warnings.map { "warning: \($0)" }
            return (["valid"] + settings + words + environment + warnings).joined(separator: "\n") + "\n"
        } catch {
            return error.description + "\n"
        }
    }

    @Test("a file gives exactly the settings or the problems beside it", arguments: try names())
    func golden(_ name: String) throws {
        let expected = try String(contentsOf: Self.folder.appendingPathComponent("\(name).expected"), encoding: .utf8)
        #expect(try Self.outcome(of: name) == expected)
    }

    @Test("every expectation has its file, and there are at least forty mistakes")
    func complete() throws {
        let expectations = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".expected") }.map { String($0.dropLast(9)) }.sorted()
        #expect(try Self.names() == expectations)
        let mistakes = try Self.names().filter { try !Self.outcome(of: $0).hasPrefix("valid\n") }
        #expect(mistakes.count >= 40)
    }

    @Test("a variable's value is never part of a problem", arguments: try names())
    func noSecrets(_ name: String) throws {
        let outcome = try Self.outcome(of: name)
        guard !outcome.hasPrefix("valid\n") else { return }
        #expect(!outcome.contains("hunter2"))
    }
}
