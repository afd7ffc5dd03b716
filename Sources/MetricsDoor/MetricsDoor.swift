public import GatewayConfiguration
public import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Why the door could not be opened.
public struct MetricsDoorError: Error, CustomStringConvertible {
    /// Names the address.
    public let description: String
}

/// The port that metrics are scraped from: `GET /metrics` by HTTP/1.1, and nothing else.
///
/// Confinement: the gateway loop, on which it accepts, renders and answers. Bounded: ``mostConnections`` at once, heads
/// of ``largestHead`` bytes, ``patience`` for a request and for its answer to be taken.
public final class MetricsDoor {
    /// What a scrape is answered with, and its content type.
    public typealias Render = () -> (body: ByteBuffer, contentType: String)

    /// Connections at once; further ones are closed at once.
    public static let mostConnections = 16
    /// Of a request, in bytes. No request has a body.
    public static let largestHead = 8192
    /// How long a client may take to send a request, or to take its answer.
    public static let patience = TimeAmount.seconds(5)

    /// What it was opened with.
    public let settings: MetricsSettings
    private let listener: any Channel
    private let connections: Connections

    /// The channels that are open.
    final class Connections {
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private init(settings: MetricsSettings, listener: any Channel, connections: Connections) {
        self.settings = settings
        self.listener = listener
        self.connections = connections
    }

    /// The port that it listens on: of a door that was opened with port 0, the one that the system chose.
    public var port: Int? { listener.localAddress?.port }

    /// Binds and listens. Call on `loop`, on which `render` is called too. Fails with a ``MetricsDoorError``.
    public static func open(
        _ settings: MetricsSettings, on loop: any EventLoop, patience: TimeAmount = patience,
        render: @escaping Render
    ) -> EventLoopFuture<NIOLoopBound<MetricsDoor>> {
        let connections = Connections()
        let bound = NIOLoopBound((connections, render), eventLoop: loop)
        do {
            // An address and never a name: looking one up would hold the loop.
            let address = try SocketAddress(ipAddress: settings.host, port: settings.port)
            return ServerBootstrap(group: loop)
                .serverChannelOption(.backlog, value: 64)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let (connections, render) = bound.value
                        try welcome(channel, connections, patience, render)
                    }
                }
                .bind(to: address)
                .map {
                    NIOLoopBound(
                        MetricsDoor(settings: settings, listener: $0, connections: bound.value.0), eventLoop: loop)
                }
                .flatMapErrorThrowing { throw failure(settings, $0) }
        } catch {
            return loop.makeFailedFuture(failure(settings, error))
        }
    }

    private static func failure(_ settings: MetricsSettings, _ error: any Error) -> MetricsDoorError {
        MetricsDoorError(description: "cannot listen on metrics.listen \(settings.address): \(error)")
    }

    private static func welcome(
        _ channel: any Channel, _ connections: Connections, _ patience: TimeAmount, _ render: @escaping Render
    ) throws {
        guard connections.channels.count < mostConnections else {
            return channel.close(promise: nil)
        }
        let id = ObjectIdentifier(channel)
        connections.channels[id] = channel
        let bound = NIOLoopBound(connections, eventLoop: channel.eventLoop)
        channel.closeFuture.whenComplete { _ in bound.value.channels[id] = nil }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HeadLimit())
        try pipeline.addHandler(HTTPResponseEncoder())
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        try pipeline.addHandler(MetricsHandler(patience: patience, render: render))
    }

    /// Stops listening and closes what is open: whoever scrapes tries again.
    public func close() {
        listener.close(promise: nil)
        for channel in connections.channels.values { channel.close(promise: nil) }
    }
}
