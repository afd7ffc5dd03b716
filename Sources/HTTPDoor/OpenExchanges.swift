internal import MCPRouting
internal import NIOCore

/// The exchanges of one session whose answers are not complete, and those of them that this turn brought something for.
///
/// Confinement: the gateway loop, as its session.
struct OpenExchanges {
    private var open: [Exchange: HTTPExchange] = [:]
    private var last: UInt32 = 0
    private var changed: [HTTPExchange] = []

    var isEmpty: Bool { open.isEmpty }

    subscript(_ id: Exchange) -> HTTPExchange? { open[id] }

    /// Begins the answer to a POST on its connection. A number is not used again while it is open.
    mutating func begin(_ kind: HTTPExchange.Kind, status: HTTPStatus, on connection: HTTPConnection) -> HTTPExchange {
        repeat { last &+= 1 } while last == 0 || open[Exchange(number: last)] != nil
        let exchange = HTTPExchange(Exchange(number: last), kind, status: status, connection: connection)
        open[exchange.id] = exchange
        return exchange
    }

    /// Queues a message until the end of the turn.
    mutating func queue(_ message: ByteBuffer, of id: Exchange) {
        guard let exchange = open[id] else { return }
        if exchange.queued.isEmpty, !exchange.hasEnded { changed.append(exchange) }
        exchange.queued.append(message)
    }

    /// Nothing more belongs to it.
    mutating func end(_ id: Exchange) {
        guard let exchange = open[id], !exchange.hasEnded else { return }
        if exchange.queued.isEmpty { changed.append(exchange) }
        exchange.hasEnded = true
    }

    /// What the turn brought, oldest first, each with its messages. Those that have ended are open no more.
    mutating func takeTurn() -> [(exchange: HTTPExchange, messages: [ByteBuffer])] {
        let turn = changed.map { exchange in
            defer { exchange.queued.removeAll(keepingCapacity: true) }
            if exchange.hasEnded { open[exchange.id] = nil }
            return (exchange, exchange.queued)
        }
        changed.removeAll(keepingCapacity: true)
        return turn
    }

    /// Ends all of them: streams as they are, the others with an answer.
    mutating func close(with response: HTTPResponse) {
        let closing = open.values
        open.removeAll()
        changed.removeAll()
        for exchange in closing {
            guard let connection = exchange.connection else { continue }
            exchange.connection = nil
            if exchange.state.isStreaming { connection.endStream() } else { connection.respond(response) }
        }
    }
}
