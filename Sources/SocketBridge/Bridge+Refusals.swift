internal import JSONRPCWire
internal import NIOCore

/// Answers that the client gets from the bridge itself.
extension Bridge {
    /// `data.reason` of an error, as everywhere in the gateway.
    enum Reason: String {
        /// Sent, and whether it took effect is unknown.
        case connectionLost = "connection_lost"
        /// Not sent.
        case unavailable = "upstream_unavailable"
        case overloaded
        case tooLarge = "too_large"
    }

    mutating func refuse(_ id: Lexeme, _ message: String, _ reason: Reason) {
        refuse(id, code: -32603, message, [("reason", reason.rawValue)])
    }

    mutating func refuse(_ id: Lexeme, code: Int, _ message: String, _ data: [(String, String)] = []) {
        emit(.toClient(SplicedMessage(ErrorReply.bytes(id: id, code: code, message: message, data: data))))
    }

    /// Visits the requests in a line: one, those of a batch, or one that the daemon would refuse.
    mutating func forEachRequest(in line: ByteBuffer, _ body: (inout Bridge, Lexeme, _ method: String) -> Void) {
        switch scanner.scan(line) {
        case .message(let scan): visit(scan, line, body)
        case .batch(let elements):
            for range in elements {
                let (outcome, element) = scanner.scan(element: range, of: line)
                if case .message(let scan) = outcome { visit(scan, element, body) }
            }
        case .rejected(let rejection):
            if !rejection.isResponse { body(&self, Lexeme(rejection.id, in: line), "") }
        }
    }

    private mutating func visit(
        _ scan: MessageScan, _ line: ByteBuffer, _ body: (inout Bridge, Lexeme, _ method: String) -> Void
    ) {
        guard scan.kind == .request else { return }
        body(&self, Lexeme(scan[.id], in: line), JSONText.string(scan[.method], in: line) ?? "")
    }
}
