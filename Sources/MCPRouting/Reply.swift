internal import JSONRPCWire
internal import NIOCore

/// The messages that the gateway itself writes.
enum Reply {
    /// A successful response whose `result` is given as JSON.
    static func result(id: Lexeme, _ result: ByteBuffer) -> SplicedMessage {
        var bytes = ByteBuffer()
        bytes.writeStaticString(#"{"jsonrpc":"2.0","id":"#)
        id.write(to: &bytes)
        bytes.writeStaticString(#","result":"#)
        bytes.writeImmutableBuffer(result)
        bytes.writeStaticString("}")
        return SplicedMessage(bytes)
    }

    /// The empty result of `ping` and its like.
    static func empty(id: Lexeme) -> SplicedMessage {
        result(id: id, ByteBuffer(string: "{}"))
    }

    /// A request of the gateway to an upstream.
    static func request(id: PendingID, method: String, params: ByteBuffer?) -> SplicedMessage {
        var bytes = ByteBuffer()
        bytes.writeStaticString(#"{"jsonrpc":"2.0","id":"#)
        bytes.writeString(String(id.number))
        bytes.writeStaticString(#","method":"#)
        JSONText.appendQuoted(method, to: &bytes)
        if let params {
            bytes.writeStaticString(#","params":"#)
            bytes.writeImmutableBuffer(params)
        }
        bytes.writeStaticString("}")
        return SplicedMessage(bytes)
    }

    /// A notification of the gateway to either side.
    static func notification(_ method: String, params: ByteBuffer? = nil) -> SplicedMessage {
        var bytes = ByteBuffer()
        bytes.writeStaticString(#"{"jsonrpc":"2.0","method":"#)
        JSONText.appendQuoted(method, to: &bytes)
        if let params {
            bytes.writeStaticString(#","params":"#)
            bytes.writeImmutableBuffer(params)
        }
        bytes.writeStaticString("}")
        return SplicedMessage(bytes)
    }

    /// `notifications/cancelled` for a request that the gateway gives up.
    static func cancellation(of id: Lexeme, reason: String) -> SplicedMessage {
        var params = ByteBuffer()
        params.writeStaticString(#"{"requestId":"#)
        id.write(to: &params)
        params.writeStaticString(#","reason":"#)
        JSONText.appendQuoted(reason, to: &params)
        params.writeStaticString("}")
        return notification(MCPMethod.cancelled.rawValue, params: params)
    }

    /// `{"name":"value"}`.
    static func params(_ name: String, _ value: String) -> ByteBuffer {
        var bytes = ByteBuffer(string: "{")
        bytes.writeImmutableBuffer(member(name, value))
        bytes.writeStaticString("}")
        return bytes
    }

    /// `"name":"value"`.
    static func member(_ name: String, _ value: String) -> ByteBuffer {
        var bytes = ByteBuffer()
        JSONText.appendQuoted(name, to: &bytes)
        bytes.writeStaticString(":")
        JSONText.appendQuoted(value, to: &bytes)
        return bytes
    }
}

/// The error that ends a request which the upstream did not answer. DESIGN: -32603 with `data.reason`.
enum Ending {
    case timeout(seconds: Double)
    case upstreamUnavailable(String)
    case upstreamExited
    case overloaded(String)
    /// A session for which `max_dedicated` leaves no process.
    case noProcessLeft(Int)
    case tooLarge(Int)
    case shuttingDown
    case connectionLost
    case cancelled
    case malformedResult(String)

    /// `data.reason`, and the audit's word for it.
    var reason: String {
        switch self {
        case .timeout: "timeout"
        case .upstreamUnavailable: "upstream_unavailable"
        case .upstreamExited: "upstream_exited"
        case .overloaded, .noProcessLeft: "overloaded"
        case .tooLarge: "too_large"
        case .shuttingDown: "shutting_down"
        case .connectionLost: "connection_lost"
        case .cancelled: "cancelled"
        case .malformedResult: "malformed_result"
        }
    }

    /// What the client reads.
    var message: String {
        switch self {
        case .timeout(let seconds): "no answer from upstream within \(Self.number(seconds)) s (request_timeout)"
        case .upstreamUnavailable(let detail): "upstream unavailable: \(detail)"
        case .upstreamExited: "upstream exited before it answered; whether the call took effect is unknown"
        case .overloaded(let cap): "too many requests in flight (\(cap))"
        case .noProcessLeft(let limit):
            "no upstream process left for this session (max_dedicated is \(limit)): try again when another has ended"
        case .tooLarge(let cap): "message is larger than \(cap) bytes (max_message_bytes)"
        case .shuttingDown: "gateway is shutting down"
        case .connectionLost: "connection lost before the answer"
        case .cancelled: "cancelled by the client"
        case .malformedResult(let what): what
        }
    }

    private static func number(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
    }
}

extension Message {
    /// A member's bytes; nil when it is absent.
    func slice(_ member: Member) -> ByteBuffer? {
        let range = scan[member]
        guard range.isPresent else { return nil }
        return bytes.getSlice(at: bytes.readerIndex + Int(range.lower), length: range.count)
    }

    /// A member's text; nil when it is absent or no string.
    func string(_ member: Member) -> String? {
        scan[member].isPresent ? JSONText.string(scan[member], in: bytes) : nil
    }
}
