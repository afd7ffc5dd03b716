internal import JSONRPCWire
internal import NIOCore
internal import NIOHTTP1

/// A complete answer.
struct HTTPResponse {
    var status: HTTPStatus
    var headers: [(name: String, value: String)] = []
    var contentType: String?
    var body = ByteBuffer()
    /// Whether the connection ends behind it.
    var closes = false

    /// A JSON-RPC error without an id that anyone knows, as every refusal has one.
    static func error(_ status: HTTPStatus, code: Int = -32600, _ message: String, id: Lexeme = .null) -> HTTPResponse {
        HTTPResponse(
            status: status, contentType: "application/json",
            body: ErrorReply.bytes(id: id, code: code, message: message))
    }

    static func text(_ status: HTTPStatus, _ text: String) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", body: ByteBuffer(string: text))
    }

    init(
        status: HTTPStatus, headers: [(name: String, value: String)] = [], contentType: String? = nil,
        body: ByteBuffer = ByteBuffer(), closes: Bool = false
    ) {
        self.status = status
        self.headers = headers
        self.contentType = contentType
        self.body = body
        self.closes = closes
    }

    init(_ refusal: HTTPRefusal) {
        self = .error(refusal.status, code: refusal.code, refusal.message)
        headers = refusal.headers
    }

    func head(closes: Bool) -> HTTPResponseHead {
        var fields = HTTPHeaders()
        if let contentType { fields.add(name: "Content-Type", value: contentType) }
        // RFC 9110, 8.6.
        if status != .noContent { fields.add(name: "Content-Length", value: String(body.readableBytes)) }
        for (name, value) in headers { fields.add(name: name, value: value) }
        if closes { fields.add(name: "Connection", value: "close") }
        return HTTPResponseHead(version: .http1_1, status: .init(statusCode: status.rawValue), headers: fields)
    }

    /// The head of an event stream.
    static func streamHead(_ headers: [(name: String, value: String)], closes: Bool) -> HTTPResponseHead {
        var fields = HTTPHeaders([
            ("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache, no-transform"),
            // nginx would hold events back otherwise.
            ("X-Accel-Buffering", "no"),
        ])
        for (name, value) in headers { fields.add(name: name, value: value) }
        if closes { fields.add(name: "Connection", value: "close") }
        return HTTPResponseHead(version: .http1_1, status: .ok, headers: fields)
    }
}
