import FoundationEssentials
import Glibc
import Testing

@testable import GatewayConfiguration

/// What the tests read with: no disk, a fixed environment, and a home that exists nowhere.
enum ConfigurationFixture {
    static let environment = [
        "HOME": "/home/u", "PATH": "/usr/bin", "REGION": "eu", "EMPTY": "", "SPACED": "two words'",
        "SECRET_VALUE": "hunter2", "SECONDS_TEXT": "2.5", "LC_ALL": "C.UTF-8", "NODE_ENV": "test", "OTHER": "x",
    ]

    static func read(
        _ yaml: String, dotenv: String? = nil, environment: [String: String] = environment,
        mode: ConfigurationReader.Occasion = .start
    ) throws(ConfigurationError) -> LoadedConfiguration {
        try read(Array(yaml.utf8), name: "test", dotenv: dotenv, environment: environment, mode: mode)
    }

    static func read(
        _ yaml: [UInt8], name: String, dotenv: String? = nil, environment: [String: String] = environment,
        mode: ConfigurationReader.Occasion = .start
    ) throws(ConfigurationError) -> LoadedConfiguration {
        let source = ConfigurationSource(
            config: .init(path: "/etc/gatekit/\(name).yaml", bytes: yaml),
            dotenv: dotenv.map { .init(path: "/etc/gatekit/.env", bytes: Array($0.utf8)) })
        return try ConfigurationReader.read(source, environment: environment, homeDirectory: "/home/u", mode: mode)
    }

    /// The problems of a file that must have some.
    static func problems(
        _ yaml: String, dotenv: String? = nil, environment: [String: String] = environment,
        mode: ConfigurationReader.Occasion = .start, sourceLocation: SourceLocation = #_sourceLocation
    ) -> [String] {
        do throws(ConfigurationError) {
            _ = try read(yaml, dotenv: dotenv, environment: environment, mode: mode)
            Issue.record("the file was accepted", sourceLocation: sourceLocation)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    /// A valid file around some lines.
    static func upstream(_ lines: String = "", command: String = "server") -> String {
        "proxy:\n  upstream:\n    command: \(command)\n\(lines)"
    }
}

/// A directory of its own for one test, removed with everything in it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/gatekit-configuration-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    struct Failure: Error {
        var code: Int32
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        guard let stream = fopen(file, "w") else { throw Failure(code: errno) }
        defer { fclose(stream) }
        guard fwrite(bytes, 1, bytes.count, stream) == bytes.count else { throw Failure(code: errno) }
        return file
    }

    @discardableResult
    func makeDirectory(_ name: String) throws -> String {
        guard mkdir("\(path)/\(name)", 0o700) == 0 else { throw Failure(code: errno) }
        return "\(path)/\(name)"
    }

    deinit {
        // What cannot be removed stays in /tmp, which is no failure of the test.
        try? FileManager.default.removeItem(atPath: path)
    }
}
