public import JSONRPCWire
public import NIOCore

/// One open `subscriptions/listen` of a modern client (basic/patterns/subscriptions): what is sent on its stream.
public struct Subscription: Hashable, Sendable {
    /// The id of the request that opened it, as the client sent it. That is the subscription's id too.
    public let id: Lexeme

    /// Names the subscription by its request.
    public init(id: Lexeme) {
        self.id = id
    }

    /// The first message of the stream: which of the notifications that were asked for will come.
    public func acknowledgement(_ honoured: SubscriptionFilter) -> ByteBuffer {
        var params = ObjectText(capacity: 128)
        params.member("_meta", json: meta)
        params.member("notifications", json: honoured.json)
        var text = ObjectText(capacity: 256)
        text.member("jsonrpc", json: #""2.0""#)
        text.member("method", json: #""notifications/subscriptions/acknowledged""#)
        text.member("params", json: params.finished())
        return text.finished()
    }

    /// A legacy upstream's notification for this stream: with the subscription's id in `_meta`.
    public func tagged(_ message: Message) -> Splices {
        var member = ObjectText(capacity: 80)
        member.member("io.modelcontextprotocol/subscriptionId", lexeme: id)
        let object = member.finished()
        return Meta.adding(
            object.piece(ByteRange(1, object.readableBytes - 1)),
            replacing: [message.scan[.metaSubscriptionID]], to: message, progressToken: nil)
    }

    /// The response that ends the stream from our side ("Graceful Closure").
    public var closing: ByteBuffer {
        var result = ObjectText(capacity: 128)
        result.member("resultType", json: #""complete""#)
        result.member("_meta", json: meta)
        var text = ObjectText(capacity: 192)
        text.member("jsonrpc", json: #""2.0""#)
        text.member("id", lexeme: id)
        text.member("result", json: result.finished())
        return text.finished()
    }

    /// A modern upstream's notification for a legacy client: without the id of a subscription that the client knows
    /// nothing of.
    public static func untagged(_ message: Message) -> Splices {
        Meta.removing([message.scan[.metaSubscriptionID]], from: message, progressToken: nil)
    }

    private var meta: ByteBuffer {
        var text = ObjectText(capacity: 80)
        text.member("io.modelcontextprotocol/subscriptionId", lexeme: id)
        return text.finished()
    }
}
