internal import EraTranslation
internal import NIOCore
internal import NIOHTTP1

/// One request that was let in, with its body as far as it has come.
struct HTTPRequest {
    enum Method {
        case post, get, delete
    }

    let method: Method
    let identity: HTTPIdentity
    /// nil when the request names none, as the first one does.
    let session: HTTPSession?
    /// What a modern body has to agree with; nil with a session.
    let headers: RequestHeaders?
    /// Whether `MCP-Protocol-Version` is there and no legacy revision.
    let speaksNoLegacy: Bool
    /// What a client that comes back has seen last.
    let lastEvent: EventID?
    var body = ByteBuffer()
}
