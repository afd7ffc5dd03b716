internal import NIOCore
internal import NIOHTTP1

/// Answers the one request of a connection and closes it. One, since a scrape comes every few seconds, and a client
/// that asks a hundred times without reading would have a hundred answers wait for it.
final class MetricsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let patience: TimeAmount
    private let render: MetricsDoor.Render
    private var request: HTTPRequestHead?
    private var isAnswered = false
    /// Closes the connection when a request or the taking of its answer lasts too long.
    private var timeout: Scheduled<Void>?

    init(patience: TimeAmount, render: @escaping MetricsDoor.Render) {
        self.patience = patience
        self.render = render
    }

    func handlerAdded(context: ChannelHandlerContext) {
        wait(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timeout?.cancel()
    }

    private func wait(_ context: ChannelHandlerContext) {
        timeout?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: patience) { bound.value.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: answer(.badRequest, "a request for metrics has no body\n", context)
        case .end:
            if let request { answer(request, context) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is HeadLimit.Exceeded:
            answer(.requestHeaderFieldsTooLarge, "more than \(MetricsDoor.largestHead) bytes\n", context)
        case is HTTPParserError: answer(.badRequest, "no request of HTTP/1\n", context)
        default: context.close(promise: nil)
        }
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = request.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        guard path == "/metrics" else { return answer(.notFound, "metrics are at /metrics\n", context) }
        guard request.method == .GET else {
            return answer(.methodNotAllowed, "only GET\n", context, [("allow", "GET")])
        }
        guard !isAnswered else { return }
        let (body, contentType) = render()
        write(.ok, [("content-type", contentType)], body, context)
    }

    private func answer(
        _ status: HTTPResponseStatus, _ text: String, _ context: ChannelHandlerContext,
        _ headers: [(String, String)] = []
    ) {
        write(status, headers + [("content-type", "text/plain; charset=utf-8")], ByteBuffer(string: text), context)
    }

    private func write(
        _ status: HTTPResponseStatus, _ headers: [(String, String)], _ body: ByteBuffer,
        _ context: ChannelHandlerContext
    ) {
        // Whatever else came on this connection.
        guard !isAnswered else { return }
        isAnswered = true
        wait(context)
        var head = HTTPResponseHead(version: .http1_1, status: status, headers: HTTPHeaders(headers))
        head.headers.add(name: "content-length", value: String(body.readableBytes))
        head.headers.add(name: "cache-control", value: "no-store")
        head.headers.add(name: "connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in bound.value.close(promise: nil) }
    }
}
