import Glibc
import Testing

@testable import GatewayConfiguration

@Suite("ConfigurationSource")
struct ConfigurationSourceTests {
    private func message(_ configPath: String, dotenvPath: String? = nil) -> [String] {
        do throws(ConfigurationError) {
            _ = try ConfigurationSource(configPath: configPath, dotenvPath: dotenvPath)
            return []
        } catch {
            return error.problems.map(\.message)
        }
    }

    @Test("both files are read whole")
    func reads() throws {
        let directory = try TemporaryDirectory()
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        let config = try directory.write("a.yaml", bytes)
        let dotenv = try directory.write(".env", [])
        let source = try ConfigurationSource(configPath: config, dotenvPath: dotenv)
        #expect(source.config == .init(path: config, bytes: bytes))
        #expect(source.files.map(\.bytes.count) == [200_000, 0])
    }

    @Test("a file of the greatest length is read, one byte more is refused")
    func cap() throws {
        let directory = try TemporaryDirectory()
        let limit = RegularFile.maximumBytes
        let fits = try directory.write("fits", [UInt8](repeating: 35, count: limit))
        let long = try directory.write("long", [UInt8](repeating: 35, count: limit + 1))
        #expect(message(fits) == [])
        #expect(message(long) == ["the configuration file is longer than 1048576 bytes, the longest that is read"])
    }

    @Test("missing files of both kinds are reported together")
    func missing() throws {
        let directory = try TemporaryDirectory()
        #expect(
            message(directory.path + "/a", dotenvPath: directory.path + "/b") == [
                "the configuration file cannot be opened: no such file or directory",
                "the .env file cannot be opened: no such file or directory",
            ])
    }

    @Test("what is no regular file is refused without being read")
    func irregular() throws {
        let directory = try TemporaryDirectory()
        let fifo = directory.path + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        #expect(message(fifo) == ["the configuration file is a FIFO; name a regular file"])
        #expect(
            message(try directory.makeDirectory("d")) == ["the configuration file is a directory; name a regular file"])
        #expect(message("/dev/zero") == ["the configuration file is a device; name a regular file"])
        #expect(message("") == ["the configuration file has an empty or impossible path"])
    }

    @Test("a link to a regular file is read")
    func link() throws {
        let directory = try TemporaryDirectory()
        let target = try directory.write("a", [1, 2])
        #expect(symlink(target, directory.path + "/link") == 0)
        #expect(try ConfigurationSource(configPath: directory.path + "/link", dotenvPath: nil).config.bytes == [1, 2])
    }
}

@Suite("SHA256")
struct SHA256Tests {
    @Test(
        "the standard's examples and every padding length",
        arguments: [
            ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ])
    func vectors(_ text: String, _ count: Int, _ digest: String) {
        let message = Array(String(repeating: text, count: count).utf8)
        #expect(Self.hash([message]) == digest)
    }

    @Test("how the message is cut makes no difference")
    func pieces() {
        for length in [55, 56, 63, 64, 65, 119, 120, 128] {
            let message = (0..<length).map { UInt8($0) }
            let whole = Self.hash([message])
            for cut in 0...length {
                #expect(Self.hash([Array(message[..<cut]), Array(message[cut...])]) == whole)
            }
        }
    }

    private static func hash(_ pieces: [[UInt8]]) -> String {
        var hasher = SHA256()
        for piece in pieces { piece.withUnsafeBytes { hasher.update($0) } }
        return hasher.finish()
    }
}
