internal import JSONRPCWire
internal import NIOCore

/// The id of a request that the bridge made or renamed: a string that nobody else uses, because it holds random digits
/// that neither side has seen before.
struct OwnID: Hashable {
    let id: RequestID
    let lexeme: Lexeme

    init(tag: String, number: UInt64) {
        let text = ByteBuffer(string: "\"gatekit-connect-\(tag)-\(number)\"")
        let range = ByteRange(0, text.readableBytes)
        guard let id = RequestID(range, in: text) else {
            preconditionFailure("the tag '\(tag)' makes no request id")
        }
        self.id = id
        lexeme = Lexeme(range, in: text)
    }
}

/// A request that the bridge sent to the daemon itself; the client never sees the answer.
enum OwnRequest: Equatable {
    case initialize
    case level(String)
    case subscribe(String)
}
