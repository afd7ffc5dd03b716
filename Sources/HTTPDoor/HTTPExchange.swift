internal import MCPRouting
internal import NIOCore

/// Whose exchange a connection carries the answer of.
protocol ExchangeHolder: AnyObject {
    /// The client has heard nothing for a while.
    func silence(of exchange: HTTPExchange, on connection: HTTPConnection)
    /// The connection has gone before the answer was complete.
    func clientGone(from exchange: HTTPExchange)
}

/// One POST with requests in it, until the last of their answers has gone out.
///
/// Confinement: the gateway loop.
final class HTTPExchange {
    let id: Exchange
    /// What it asks for beside an answer.
    enum Kind {
        case requests
        /// Its answer carries the session's key.
        case initialize
        /// A batch, which may hold nothing that is answered.
        case batch
    }

    let kind: Kind
    /// The status of an answer in JSON.
    let status: HTTPStatus
    /// Where its messages go; nil when the client has dropped it.
    var connection: HTTPConnection?
    var state = AnswerState()
    /// What this turn brought.
    var queued: [ByteBuffer] = []
    var hasEnded = false

    init(_ id: Exchange, _ kind: Kind, status: HTTPStatus, connection: HTTPConnection) {
        self.id = id
        self.kind = kind
        self.status = status
        self.connection = connection
    }
}
