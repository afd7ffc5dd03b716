public import Gateway
internal import GatewayEvents
public import MCPRouting
public import NIOCore
internal import NIOPosix
public import StandardStreams

/// The one session on our own stdin and stdout. It ends when the input ends and everything in flight was answered.
///
/// Confinement: the gateway loop.
public final class StdioDoor {
    /// The door's session; its end is the end of the process when no other door is open.
    public let session: SessionID
    private let channel: any Channel
    private let output: DescriptorPump
    private let line: LineChannel

    private init(session: SessionID, channel: any Channel, line: LineChannel, output: DescriptorPump) {
        self.session = session
        self.line = line
        self.channel = channel
        self.output = output
    }

    /// Opens the session. Call on the gateway loop. `isLone` when no other door is open: such a client is never closed
    /// for reading slowly.
    public static func open(
        _ descriptors: StdioDescriptors, _ gateway: Gateway, isLone: Bool
    ) -> EventLoopFuture<NIOLoopBound<StdioDoor>> {
        let loop = gateway.eventLoop
        guard let input = DescriptorPump.input(descriptors.input),
            let output = DescriptorPump.output(descriptors.output)
        else {
            return loop.makeFailedFuture(
                DoorError(code: .systemCall, description: "stdin or stdout cannot be used for a session"))
        }
        let bound = NIOLoopBound(gateway, eventLoop: loop)
        let opened = NIOLoopBound(Opened(), eventLoop: loop)
        return NIOPipeBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.writeBufferWaterMark, value: LineChannelOptions.waterMark)
            .channelOption(.recvAllocator, value: LineChannelOptions.receive)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let identity = SessionIdentity(
                        sessionID: SessionNumber.mint(), transport: "stdio", peer: "stdio", clientName: nil,
                        clientVersion: nil)
                    let line = LineChannel(channel: channel, isLone: isLone)
                    guard let session = bound.value.connect(identity, line) else {
                        throw DoorError(code: .alreadyServed, description: "stdio: the gateway takes no sessions")
                    }
                    opened.value.session = session
                    opened.value.line = line
                    let handler = LineHandler(gateway: bound.value, session: session)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .takingOwnershipOfDescriptors(input: input.descriptor, output: output.descriptor)
            .flatMapThrowing { channel in
                guard let session = opened.value.session, let line = opened.value.line else {
                    throw DoorError(code: .systemCall, description: "stdio: the session could not be opened")
                }
                return NIOLoopBound(
                    StdioDoor(session: session, channel: channel, line: line, output: output), eventLoop: loop)
            }
    }

    /// Other doors were opened or closed. On the loop.
    public func setLone(_ isLone: Bool) {
        line.isLone = isLone
    }

    /// Completes when everything was handed to stdout. On the loop.
    public var closed: EventLoopFuture<Void> { channel.closeFuture }

    /// What has to be called on another thread after ``closed``: waits for the last bytes to be in the file, where
    /// stdout is one.
    public var finish: @Sendable () -> Void {
        { [output] in output.join() }
    }

    /// Carries the session out of the channel's initializer.
    private final class Opened {
        var session: SessionID?
        var line: LineChannel?
    }
}
