internal import JSONRPCWire
internal import NIOCore

/// One request, and its answers.
struct Request {
    private let message: Message
    /// What is asked.
    let method: String

    /// Takes a message whose kind is `request`.
    init(_ message: Message) {
        self.message = message
        // A request's method is text: the scanner refuses others.
        method = JSONText.string(message.scan[.method], in: message.bytes) ?? ""
    }

    func string(_ member: Member) -> String? {
        JSONText.string(message.scan[member], in: message.bytes)
    }

    func isAbsentOrNull(_ member: Member) -> Bool {
        JSONText.kind(of: message.scan[member], in: message.bytes) == .null
    }

    func arguments(_ parameters: [ToolParameter]) throws(FilesystemError) -> Arguments {
        try Arguments(message.scan[.paramsArguments], in: message.bytes, parameters)
    }

    /// A response with the result that `body` writes.
    func result(_ body: (inout ByteBuffer) -> Void) -> ByteBuffer {
        var buffer = ByteBuffer(string: "{\"jsonrpc\":\"2.0\",\"id\":")
        Lexeme(message.scan[.id], in: message.bytes).write(to: &buffer)
        buffer.writeStaticString(",\"result\":")
        body(&buffer)
        buffer.writeStaticString("}")
        return buffer
    }

    /// The result of a tool call: one text.
    func toolResult(_ text: String, isError: Bool) -> ByteBuffer {
        result { buffer in
            buffer.writeStaticString("{\"content\":[{\"type\":\"text\",\"text\":")
            JSONText.appendQuoted(text, to: &buffer)
            buffer.writeString("}],\"isError\":\(isError)}")
        }
    }

    func error(_ code: Int, _ message: String) -> ByteBuffer {
        ErrorReply.bytes(
            id: Lexeme(self.message.scan[.id], in: self.message.bytes), code: code, message: message)
    }
}
