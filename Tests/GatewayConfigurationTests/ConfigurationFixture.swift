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
        return try ConfigurationReader.read(
            source, environment: environment, homeDirectory: "/home/u", mode: mode,
            files: NamedFiles { path throws(RegularFile.Failure) in
                if let file = files[path] { return file }
                throw RegularFile.Failure("opened", errno: ENOENT)
            })
    }

    /// What a configuration may name; everything else does not exist.
    static let files: [String: RegularFile] = [
        "/etc/gatekit/tokens": RegularFile(bytes: Array("# who\nalice:\(aliceDigest)\nbob:\(bobDigest)\n".utf8)),
        "/etc/gatekit/tokens-empty": RegularFile(bytes: []),
        "/etc/gatekit/tokens-open": RegularFile(bytes: Array("alice:\(aliceDigest)".utf8), mode: 0o644),
        "/etc/gatekit/tokens-broken": RegularFile(
            bytes: Array("\u{FEFF}alice:\(aliceDigest)\r\n\r\nhunter2\n alice:\(bobDigest)\n:\(bobDigest)\n".utf8)),
        "/etc/gatekit/server.pem": RegularFile(bytes: Array((certificate + key).utf8), mode: 0o640, isOwn: false),
        "/etc/gatekit/key-open.pem": RegularFile(bytes: Array(key.utf8), mode: 0o604),
        "/etc/gatekit/key-encrypted.pem": RegularFile(
            bytes: Array(key.replacing(" PRIVATE", with: " ENCRYPTED PRIVATE").utf8)),
        "/etc/gatekit/notes.txt": RegularFile(bytes: Array("hunter2".utf8)),
        "/etc/gatekit/tls/chain.pem": RegularFile(bytes: Array(certificate.utf8), mode: 0o644),
        "/etc/gatekit/tls/key.pem": RegularFile(bytes: Array(key.utf8)),
        // What the schema's tests write where a path is asked for.
        "/etc/gatekit/server": RegularFile(bytes: Array((certificate + key).utf8)),
    ]
    static let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    static let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    /// Of `alice-token`.
    static let aliceDigest = "9c220f200955d76c0a38d308225e0ef10c5f971acaf2f8d1d8f732affa5bd1dc"
    /// Of `bob-token`.
    static let bobDigest = "97dd3707015dcf069cf73022ed7173b1165db6eff24b441cb57fd069a8c4e525"

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
