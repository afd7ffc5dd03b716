public import JSONRPCWire
public import NIOCore

/// What a client or an upstream is told when a message cannot be translated: a JSON-RPC error, with the HTTP status
/// where the specification gives one. Never holds a secret; foreign text in it is cut short.
public struct ProtocolError: Error, Hashable, Sendable {
    /// The JSON-RPC code.
    public let code: Int
    /// Why, in lower case.
    public let message: String
    /// The JSON of `data`; `nil` to leave it out.
    public let data: ByteBuffer?
    /// The status of the HTTP response that carries it, where the specification demands one; elsewhere 200 is usual.
    public let httpStatus: Int?
    /// What the audit and the log say instead of the message, where whoever sent the request is not to know.
    public let detail: String?

    /// Joins the parts; `data` must be JSON.
    public init(code: Int, message: String, data: ByteBuffer? = nil, httpStatus: Int? = nil, detail: String? = nil) {
        self.code = code
        self.message = message
        self.data = data
        self.httpStatus = httpStatus
        self.detail = detail
    }

    /// The error response to the request with this id, on one line without newline.
    public func reply(to id: Lexeme) -> ByteBuffer {
        var bytes = ErrorReply.bytes(id: id, code: code, message: message)
        guard let data else { return bytes }
        // Behind the message stand the braces of the error and of the response.
        bytes.moveWriterIndex(to: bytes.writerIndex - 2)
        bytes.writeStaticString(",\"data\":")
        bytes.writeImmutableBuffer(data)
        bytes.writeStaticString("}}")
        return bytes
    }

    /// The status for an error of this code that somebody else made, such as an upstream's; `nil` where the modern
    /// specification demands none. (-32602 is 400 only where the envelope is at fault, which that code does not say.)
    public static func httpStatus(of code: Int) -> Int? {
        switch code {
        case -32700, -32600, -32020, -32021, -32022: 400
        case -32601: 404
        default: nil
        }
    }
}

extension ProtocolError {
    /// -32602: something in `params` is not what the schema demands.
    static func invalidParams(_ message: String, httpStatus: Int? = nil) -> ProtocolError {
        ProtocolError(code: -32602, message: message, httpStatus: httpStatus)
    }

    /// -32020: headers and body contradict each other (basic/transports/streamable-http, "Server Validation").
    static func headerMismatch(_ message: String) -> ProtocolError {
        ProtocolError(code: -32020, message: "header mismatch: \(message)", httpStatus: 400)
    }

    /// -32603: what an upstream sent cannot be translated.
    static func malformedResult(_ message: String) -> ProtocolError {
        ProtocolError(code: -32603, message: message, data: ByteBuffer(string: #"{"reason":"malformed_result"}"#))
    }

    /// -32601, for a method that the era of its sender does not have.
    public static func methodNotFound(_ method: String) -> ProtocolError {
        ProtocolError(code: -32601, message: "unknown method \(quoted(method))", httpStatus: 404)
    }

    /// -32022 with the versions that the client may use instead.
    public static func unsupportedVersion(_ requested: String, supported: [String]) -> ProtocolError {
        var data = ObjectText(capacity: 64)
        data.name("supported")
        data.strings(supported)
        data.member("requested", string: short(requested))
        return ProtocolError(
            code: -32022,
            message: "unsupported protocol version \(quoted(requested)), "
                + "supported: \(supported.joined(separator: ", "))",
            data: data.finished(), httpStatus: 400)
    }

    /// -32021: the request needs what its client has not declared.
    public static func missingCapability(_ missing: ClientFeatures) -> ProtocolError {
        var data = ObjectText(capacity: 64)
        data.member("requiredCapabilities", json: missing.capabilities)
        return ProtocolError(
            code: -32021, message: "the client has not declared \(missing.names.joined(separator: ", "))",
            data: data.finished(), httpStatus: 400)
    }

    /// Foreign text for a message, in quotes, cut short and without what could forge or turn around a line of a log.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars.prefix(longestQuote) {
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF:
                quoted += "\\u{\(String(scalar.value, radix: 16))}"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return text.unicodeScalars.count > longestQuote ? "\(quoted)…\"" : "\(quoted)\""
    }

    /// A character may be any number of scalars, so those are what is counted.
    private static func short(_ text: String) -> String {
        guard text.utf8.count > longestQuote, text.unicodeScalars.count > longestQuote else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(longestQuote))) + "…"
    }

    private static let longestQuote = 64
}

extension ObjectText {
    /// The value of a member begun with ``name(_:)``: an array of strings.
    mutating func strings(_ strings: some Sequence<String>) {
        write { bytes in
            bytes.writeInteger(UInt8(ascii: "["))
            var isFirst = true
            for string in strings {
                if !isFirst { bytes.writeInteger(UInt8(ascii: ",")) }
                isFirst = false
                JSONText.appendQuoted(string, to: &bytes)
            }
            bytes.writeInteger(UInt8(ascii: "]"))
        }
    }
}
