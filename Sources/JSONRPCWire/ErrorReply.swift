public import NIOCore

/// Error responses that the gateway makes itself.
public enum ErrorReply {
    /// A JSON-RPC error response on one line, without the newline.
    ///
    /// - Parameters:
    ///   - id: the id of the request as it was sent, or ``Lexeme/null`` where none could be read.
    ///   - code: one of the codes of DESIGN.md §3.7.
    ///   - message: what went wrong; free of secrets.
    ///   - data: the string members of `data`, in their order; without any, `data` is left out.
    public static func bytes(
        id: Lexeme, code: Int, message: String, data: [(String, String)] = []
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(128 + message.utf8.count)
        buffer.writeStaticString("{\"jsonrpc\":\"2.0\",\"id\":")
        id.write(to: &buffer)
        buffer.writeStaticString(",\"error\":{\"code\":")
        buffer.writeString(String(code))
        buffer.writeStaticString(",\"message\":")
        JSONText.appendQuoted(message, to: &buffer)
        if !data.isEmpty {
            for (index, member) in data.enumerated() {
                buffer.writeStaticString(index == 0 ? ",\"data\":{" : ",")
                JSONText.appendQuoted(member.0, to: &buffer)
                buffer.writeStaticString(":")
                JSONText.appendQuoted(member.1, to: &buffer)
            }
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("}}")
        return buffer
    }
}
