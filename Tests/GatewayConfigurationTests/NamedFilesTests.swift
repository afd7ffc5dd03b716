import Glibc
import Testing

@testable import GatewayConfiguration

@Suite("NamedFiles")
struct NamedFilesTests {
    private static let yaml = """
        proxy:
          transport: http
          http: { tokens_file: tokens, tls: { certificate: both.pem, key: both.pem } }
          upstream: { command: a }

        """

    private func read(_ directory: TemporaryDirectory) throws -> LoadedConfiguration {
        try ConfigurationReader.read(
            configPath: directory.path + "/gatekit.yaml", dotenvPath: nil, environment: [:], homeDirectory: "/",
            mode: .reload)
    }

    private func directory() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write("gatekit.yaml", Array(Self.yaml.utf8))
        try directory.write("tokens", Array("alice:\(ConfigurationFixture.aliceDigest)\n".utf8))
        try directory.write("both.pem", Array((ConfigurationFixture.certificate + ConfigurationFixture.key).utf8))
        return directory
    }

    @Test("what the configuration names is read from the disk, each file once, with who may read it")
    func disk() throws {
        let directory = try directory()
        chmod(directory.path + "/tokens", 0o600)
        chmod(directory.path + "/both.pem", 0o644)
        let loaded = try read(directory)
        #expect(loaded.source.named.map(\.path) == [directory.path + "/both.pem", directory.path + "/tokens"])
        #expect(loaded.settings.http?.tokens == ["alice": TokenDigest(of: "alice-token".utf8)])
        #expect(loaded.settings.http?.tls?.certificate == loaded.settings.http?.tls?.key.bytes)
        #expect(
            loaded.warnings.map(\.description) == [
                "\(directory.path)/both.pem: every local user may read it; chmod it to 0600 or 0640"
            ])
    }

    @Test("every file that is named is part of the hash, and a changed token is a change")
    func hash() throws {
        let directory = try directory()
        let first = try read(directory)
        #expect(try read(directory).configHash == first.configHash)

        try directory.write("tokens", Array("# new\nalice:\(ConfigurationFixture.aliceDigest)\n".utf8))
        let commented = try read(directory)
        #expect(commented.configHash != first.configHash && commented.settings == first.settings)
        #expect(first.changes(to: commented) == [])

        try directory.write("tokens", Array("alice:\(ConfigurationFixture.bobDigest)\n".utf8))
        let second = try read(directory)
        #expect(first.changes(to: second) == ["proxy.http tokens changed: alice"])

        try directory.write(
            "both.pem", Array((ConfigurationFixture.key + ConfigurationFixture.certificate).utf8))
        let third = try read(directory)
        #expect(second.changes(to: third) == ["proxy.http.tls changed"])
        #expect(Set([first, commented, second, third].map(\.configHash)).count == 4)
    }

    @Test("a file is asked for once, whether it can be read or not")
    func once() {
        nonisolated(unsafe) var asked: [String] = []
        let files = NamedFiles { path throws(RegularFile.Failure) in
            asked.append(path)
            if path == "/a" { return RegularFile(bytes: [1]) }
            throw RegularFile.Failure("is not there")
        }
        for _ in 0..<2 {
            #expect(throws: Never.self) { try files.file("/a") }
            #expect(throws: RegularFile.Failure.self) { try files.file("/b") }
        }
        #expect(asked == ["/a", "/b"])
        #expect(files.files == [.init(path: "/a", bytes: [1])])
    }

    @Test("mistakes in every file are reported together, and what cannot be read where it is named")
    func together() {
        let problems = ConfigurationFixture.problems(
            """
            proxy:
              transport: http
              http: { host: 192.0.2.1, tokens_file: tokens-broken, tls: { certificate: none, key: notes.txt } }
              upstream: { command: a, era: old }

            """, dotenv: "A B\n")
        #expect(
            problems.map { String($0.prefix { $0 != " " }) } == [
                "/etc/gatekit/.env:1:", "/etc/gatekit/notes.txt:", "/etc/gatekit/test.yaml:3:76:",
                "/etc/gatekit/test.yaml:4:32:", "/etc/gatekit/tokens-broken:3:", "/etc/gatekit/tokens-broken:4:",
                "/etc/gatekit/tokens-broken:5:",
            ])
    }
}
