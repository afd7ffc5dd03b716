internal import JSONRPCWire
public import NIOCore

/// An MCP server of the legacy revisions: one line in, at most one line out.
///
/// Belongs to one reader, which calls it with one line after the other. It answers at once and keeps nothing between
/// calls but the revision that was agreed on.
public struct FilesystemServer {
    /// Semantic version, the same as the gateway's: Version.swift is a link to the daemon's, so that neither depends on the
    /// other.
    public static let version = GatekitVersion.text
    /// The longest line that is read: a file of the default size, each byte of it escaped.
    public static let maxMessageBytes = 64 * 1_048_576
    /// How deep arrays and objects may be nested in a message.
    static let maxDepth = 128

    private static let newestRevision = "2025-11-25"
    private static let revisions = ["2024-11-05", "2025-03-26", "2025-06-18", newestRevision]
    /// The only revision with batches (basic/index of 2025-03-26).
    private static let batchingRevision = "2025-03-26"

    private let scanner = MessageScanner(maxDepth: maxDepth)
    private let workspace: Workspace
    private var revision: String?

    /// Serves these directories.
    public init(_ directories: AllowedDirectories, limits: Limits = Limits()) {
        workspace = Workspace(directories: directories, limits: limits)
    }

    /// The answer to one line, without a newline; `nil` where none is due.
    public mutating func answer(_ line: ByteBuffer) -> ByteBuffer? {
        switch scanner.scan(line) {
        case .batch(let elements): batch(elements, of: line)
        case let outcome: answer(outcome, line)
        }
    }

    /// The answer to a line longer than ``maxMessageBytes``, of which `head` is the beginning.
    public func answerOversize(head: ByteBuffer) -> ByteBuffer? {
        let peek = scanner.peek(head)
        guard !peek.isResponse, peek.id.isPresent || !peek.hasMethod else { return nil }
        return ErrorReply.bytes(
            id: Lexeme(peek.id, in: head), code: -32603,
            message: "the message is longer than \(Self.maxMessageBytes) bytes", data: [("reason", "too_large")])
    }

    private mutating func answer(_ outcome: ScanOutcome, _ bytes: ByteBuffer) -> ByteBuffer? {
        switch outcome {
        case .message(let scan): return answer(Message(bytes: bytes, scan: scan))
        case .rejected(let rejection):
            if rejection.isResponse { return nil }
            return ErrorReply.bytes(
                id: Lexeme(rejection.id, in: bytes), code: rejection.code, message: rejection.reason)
        // An array in an array is a rejection already.
        case .batch: return nil
        }
    }

    private mutating func batch(_ elements: [ByteRange], of line: ByteBuffer) -> ByteBuffer? {
        guard revision == Self.batchingRevision else {
            return ErrorReply.bytes(
                id: .null, code: -32600, message: "batches are for revision \(Self.batchingRevision) only")
        }
        var replies: [ByteBuffer] = []
        for element in elements {
            let (outcome, bytes) = scanner.scan(element: element, of: line)
            if let reply = answer(outcome, bytes) { replies.append(reply) }
        }
        guard !replies.isEmpty else { return nil }
        var output = ByteBuffer(string: "[")
        for (index, reply) in replies.enumerated() {
            if index > 0 { output.writeStaticString(",") }
            output.writeImmutableBuffer(reply)
        }
        output.writeStaticString("]")
        return output
    }

    private mutating func answer(_ message: Message) -> ByteBuffer? {
        // Nothing was asked of the client, and no notification changes what we do.
        guard message.scan.kind == .request else { return nil }
        let request = Request(message)
        switch request.method {
        case "initialize": return initialize(request)
        case "ping": return request.result { $0.writeStaticString("{}") }
        case "tools/list": return list(request)
        case "tools/call": return call(request)
        default: return request.error(-32601, "the method \"\(request.method)\" is not served here")
        }
    }

    private mutating func initialize(_ request: Request) -> ByteBuffer {
        guard let offer = request.string(.paramsProtocolVersion) else {
            return request.error(-32602, "initialize needs params.protocolVersion")
        }
        let agreed = Self.revisions.contains(offer) ? offer : Self.newestRevision
        revision = agreed
        return request.result { buffer in
            buffer.writeStaticString("{\"protocolVersion\":")
            JSONText.appendQuoted(agreed, to: &buffer)
            buffer.writeStaticString(",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"mcp-filesystem\"")
            buffer.writeString(",\"version\":\"\(Self.version)\"}}")
        }
    }

    private func list(_ request: Request) -> ByteBuffer {
        guard request.isAbsentOrNull(.paramsCursor) else {
            return request.error(-32602, "there is no such cursor: all tools are on the first page")
        }
        return request.result { buffer in
            buffer.writeStaticString("{\"tools\":[")
            for (index, tool) in Tool.all.enumerated() {
                if index > 0 { buffer.writeStaticString(",") }
                tool.appendDefinition(to: &buffer)
            }
            buffer.writeStaticString("]}")
        }
    }

    private func call(_ request: Request) -> ByteBuffer {
        guard let name = request.string(.paramsName) else {
            return request.error(-32602, "tools/call needs params.name")
        }
        guard let tool = Tool.all.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
            return request.error(-32602, "there is no tool \"\(name)\"; tools/list names them")
        }
        do throws(FilesystemError) {
            let arguments = try request.arguments(tool.parameters)
            return request.toolResult(try tool.run(arguments, workspace), isError: false)
        } catch {
            return request.toolResult(error.message, isError: true)
        }
    }
}
