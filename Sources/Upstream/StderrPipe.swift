import Logging
import NIOCore

/// Passes a process's standard error to our log, line by line as ``StderrRelay`` lets them through. Loop-confined.
final class StderrPipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let process: UpstreamProcess
    private let prefix: String
    private let logger: Logger
    private var relay = StderrRelay()
    private var context: ChannelHandlerContext?
    private var report: Scheduled<Void>?

    init(_ process: UpstreamProcess, label: String, logger: Logger) {
        self.process = process
        prefix = "[upstream \(label)] "
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func startReading() {
        // Fails only on a channel that has closed meanwhile, where there is nothing to read.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    func close() { context?.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        relay.receive(unwrapInboundIn(data).readableBytesView, now: now(context), emit: log)
        guard relay.suppressed > 0, report == nil else { return }
        report = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [self] in
            report = nil
            relay.reportSuppressed(emit: log)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        report?.cancel()
        relay.end(now: now(context), emit: log)
        process.stderrClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func log(_ line: String) { logger.info("\(prefix)\(line)") }

    private func now(_ context: ChannelHandlerContext) -> Double {
        Double(context.eventLoop.now.uptimeNanoseconds) / 1e9
    }
}
