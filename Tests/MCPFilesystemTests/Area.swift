import Glibc
import JSONRPCWire
import MCPFilesystem
import NIOCore
import Testing

/// An argument of a tool call.
indirect enum Argument: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, Sendable
{
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([Argument])
    case object([(String, Argument)])

    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .flag(value) }
    init(arrayLiteral elements: Argument...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, Argument)...) { self = .object(elements) }

    var json: String {
        switch self {
        case .text(let text):
            var buffer = ByteBuffer()
            JSONText.appendQuoted(text, to: &buffer)
            return String(buffer: buffer)
        case .number(let number): return "\(number)"
        case .flag(let flag): return "\(flag)"
        case .list(let list): return "[" + list.map(\.json).joined(separator: ",") + "]"
        case .object(let members):
            return "{" + members.map { Argument.text($0.0).json + ":" + $0.1.json }.joined(separator: ",") + "}"
        }
    }
}

/// What a tool answered.
struct ToolReply: Equatable {
    var text: String
    var isError: Bool
}

/// A served folder `in` beside a folder `out` with a secret, and a server for the first.
final class Area {
    /// What stands in the file outside, and must never be seen.
    static let secret = "the-secret-of-outside"

    let folder: String
    var inside: String { folder + "/in" }
    var outside: String { folder + "/out" }
    private var server: FilesystemServer

    private init(_ folder: String, _ limits: Limits) throws {
        self.folder = folder
        try #require(mkdir(folder + "/in", 0o755) == 0 && mkdir(folder + "/out", 0o755) == 0)
        server = FilesystemServer(try AllowedDirectories([folder + "/in"], home: folder), limits: limits)
        try put(Self.secret, at: "../out/secret.txt")
    }

    /// Runs `body` with a new area, which is removed afterwards.
    static func with<R>(_ limits: Limits = Limits(), _ body: (Area) throws -> R) throws -> R {
        var template = Array("/tmp/mcp-filesystem-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).flatMap { realpath($0, nil) })
        defer { free(path) }
        let folder = String(cString: path)
        defer { remove(folder) }
        return try body(try Area(folder, limits))
    }

    /// The server's answer to a line.
    func answer(_ line: String) -> String? {
        server.answer(ByteBuffer(string: line)).map { String(buffer: $0) }
    }

    /// Calls a tool.
    func call(_ tool: String, _ arguments: Argument = [:]) throws -> ToolReply {
        let request = Argument.object([
            ("jsonrpc", "2.0"), ("id", 1), ("method", "tools/call"),
            ("params", .object([("name", .text(tool)), ("arguments", arguments)])),
        ])
        let bytes = ByteBuffer(string: try #require(answer(request.json)))
        guard case .message(let scan) = MessageScanner(maxDepth: 16).scan(bytes), scan.kind == .result else {
            Issue.record("no result: \(String(buffer: bytes))")
            return ToolReply(text: "", isError: true)
        }
        var text: String?
        JSONText.forEachElement(of: scan[.resultContent], in: bytes) { element in
            text = JSONText.string(JSONText.member("text", of: element, in: bytes), in: bytes)
        }
        let isError = JSONText.bool(scan[.resultIsError], in: bytes)
        try #require(isError != nil)
        return ToolReply(text: try #require(text), isError: isError == true)
    }

    /// Calls a tool that must succeed.
    func text(_ tool: String, _ arguments: Argument = [:]) throws -> String {
        let reply = try call(tool, arguments)
        #expect(!reply.isError, "\(reply.text)")
        return reply.text
    }

    /// Calls a tool that must fail.
    func error(_ tool: String, _ arguments: Argument = [:]) throws -> String {
        let reply = try call(tool, arguments)
        #expect(reply.isError, "\(reply.text)")
        return reply.text
    }

    /// Writes a file; the path is relative to the served folder.
    func put(_ text: String, at path: String, mode: mode_t = 0o644) throws {
        try put(Array(text.utf8), at: path, mode: mode)
    }

    func put(_ bytes: [UInt8], at path: String, mode: mode_t = 0o644) throws {
        let file = open("\(inside)/\(path)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        try #require(file >= 0)
        defer { close(file) }
        try #require(fchmod(file, mode) == 0 && write(file, bytes, bytes.count) == bytes.count)
    }

    func makeFolder(_ path: String) throws {
        try #require(mkdir("\(inside)/\(path)", 0o755) == 0)
    }

    func link(_ path: String, to target: String) throws {
        try #require(symlink(target, "\(inside)/\(path)") == 0)
    }

    /// A small file's content; `nil` when it cannot be read.
    func content(_ path: String) -> String? {
        guard let file = fopen("\(inside)/\(path)", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// The names in a folder, sorted.
    func names(_ path: String) -> [String] {
        Self.names(in: "\(inside)/\(path)").sorted()
    }

    /// Whether nothing outside was touched.
    var isOutsideUntouched: Bool {
        names("../out") == ["secret.txt"] && content("../out/secret.txt") == Self.secret
            && names("..") == ["in", "out"]
    }

    private static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: String) {
        // Never through a symbolic link: opendir would follow one, unlink does not.
        if unlink(path) == 0 { return }
        for name in names(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}
