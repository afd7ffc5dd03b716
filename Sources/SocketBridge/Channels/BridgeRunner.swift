internal import JSONRPCWire
internal import NIOCore
internal import NIOPosix

/// Performs what ``Bridge`` decides: the client's pipes, the connection, one timer.
///
/// Confinement: one event loop. There is at most one connection or attempt at a time.
final class BridgeRunner {
    /// Options that both channels have.
    enum ChannelTuning {
        /// A destination with that much unwritten stops its source from being read.
        static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 512 * 1024, high: 1024 * 1024)
        static let receive = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 8192, maximum: 256 * 1024)
    }

    private let client: any Channel
    private let connector: SocketConnector
    private let exit: EventLoopPromise<Int32>
    private var bridge: Bridge
    private var daemon: (any Channel)?
    private var clientLines = LineFramer(maxMessageBytes: BridgeLimits.lineBytes)
    private var daemonLines = LineFramer(maxMessageBytes: BridgeLimits.lineBytes)
    private var toClient = LineOutbox()
    private var toDaemon = LineOutbox()
    private var timer: Scheduled<Void>?
    private var exitCode: Int32?

    init(client: any Channel, connector: SocketConnector, patience: Int, exit: EventLoopPromise<Int32>) {
        self.client = client
        self.connector = connector
        self.exit = exit
        bridge = Bridge(patience: patience, tag: String(UInt64.random(in: .min ... .max), radix: 16))
    }

    private var eventLoop: any EventLoop { client.eventLoop }
    private var now: Int { Int(eventLoop.now.uptimeNanoseconds / 1_000_000) }

    /// Begins to look for a daemon.
    func start() {
        bridge.start(now: now)
        perform()
        flush()
    }

    // MARK: - Events

    func clientRead(_ bytes: ByteBuffer) {
        clientLines.append(bytes)
        while let frame = clientLines.next() { clientSent(frame) }
    }

    func clientEnded() {
        while let frame = clientLines.finish() { clientSent(frame) }
        bridge.clientEnded()
        perform()
        flush()
    }

    func clientGone() {
        bridge.clientGone()
        perform()
    }

    func daemonConnected(_ channel: any Channel) {
        daemon = channel
        daemonLines = LineFramer(maxMessageBytes: BridgeLimits.lineBytes)
        toDaemon = LineOutbox()
        bridge.connected(now: now)
        perform()
        updateReading()
        flush()
    }

    func daemonRead(_ bytes: ByteBuffer) {
        daemonLines.append(bytes)
        while let frame = daemonLines.next() {
            switch frame {
            case .line(let line): bridge.daemonSent(line)
            case .oversize(let head): bridge.daemonSentOversize(head)
            }
            perform()
        }
    }

    func daemonLost() {
        daemon = nil
        toDaemon = LineOutbox()
        bridge.daemonLost(now: now)
        perform()
        updateReading()
        flush()
    }

    private func connectFailed(_ reason: String) {
        bridge.connectFailed(reason, now: now)
        perform()
        flush()
    }

    private func clientSent(_ frame: LineFramer.Frame) {
        switch frame {
        case .line(let line): bridge.clientSent(line)
        case .oversize(let head): bridge.clientSentOversize(head)
        }
        perform()
    }

    // MARK: - Flow

    /// Hands over what the events of this turn brought.
    func flush() {
        if let daemon { write(toDaemon.take(), to: daemon) }
        write(toClient.take(), to: client)
    }

    private func write(_ buffers: [ByteBuffer], to channel: any Channel) {
        guard !buffers.isEmpty else { return }
        for buffer in buffers { channel.write(buffer, promise: nil) }
        channel.flush()
    }

    /// A side is read only while what it causes can be written: to the other side, and answers of our own to itself.
    func updateReading() {
        let clientTakes = client.isWritable
        setReading(client, clientTakes && daemon?.isWritable ?? true)
        if let daemon { setReading(daemon, clientTakes) }
    }

    private func setReading(_ channel: any Channel, _ isReading: Bool) {
        guard channel.isActive else { return }
        do {
            try channel.syncOptions?.setOption(.autoRead, value: isReading && exitCode == nil)
        } catch {
            // The option fails only on a closed channel, which reads nothing any more.
            return
        }
    }

    // MARK: - Actions

    private func perform() {
        for action in bridge.takeActions() { perform(action) }
    }

    private func perform(_ action: BridgeAction) {
        switch action {
        case .toClient(let message): toClient.append(message)
        case .toDaemon(let message): if daemon != nil { toDaemon.append(message) }
        case .connect:
            let runner = NIOLoopBound(self, eventLoop: eventLoop)
            connector.connect(self).whenComplete { result in
                if case .failure(let error) = result { runner.value.connectFailed("\(error)") }
            }
        case .disconnect: daemon?.close(promise: nil)
        case .endDaemonInput:
            guard let daemon else { return }
            write(toDaemon.take(), to: daemon)
            // Behind everything written.
            daemon.writeAndFlush(ByteBuffer()).assumeIsolated().whenComplete { _ in
                daemon.close(mode: .output, promise: nil)
            }
        case .wake(let milliseconds):
            timer?.cancel()
            let runner = NIOLoopBound(self, eventLoop: eventLoop)
            timer = eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) { runner.value.woke() }
        case .note(let text): StandardError.write("gatekit connect: \(text)")
        case .finish(let code): finish(code)
        }
    }

    private func woke() {
        bridge.woke()
        perform()
        flush()
    }

    private func finish(_ code: Int32) {
        guard exitCode == nil else { return }
        exitCode = code
        timer?.cancel()
        daemon?.close(promise: nil)
        updateReading()
        write(toClient.take(), to: client)
        let exit = exit
        client.closeFuture.whenComplete { _ in exit.succeed(code) }
        guard client.isActive else { return }
        let client = client
        if code != 0 {
            // A client that never takes its last lines must not keep a process that has failed.
            timer = eventLoop.scheduleTask(in: .milliseconds(Int64(BridgeLimits.lastLines))) {
                client.close(promise: nil)
            }
        }
        client.writeAndFlush(ByteBuffer()).whenComplete { _ in client.close(promise: nil) }
    }
}
