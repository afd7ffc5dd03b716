internal import Glibc
internal import NIOCore
internal import NIOPosix
public import StandardStreams

/// `gatekit connect`: a client's stdin and stdout, joined to a daemon's Unix socket for as long as the client wishes,
/// also when the daemon goes away and comes back.
public enum SocketBridge {
    /// Runs until the client has ended or there is no daemon for it; blocks the calling thread.
    ///
    /// Call once in a process, and on its main thread: ignores SIGPIPE, writes to stderr, starts one thread.
    /// - Parameters:
    ///   - descriptors: the client's ends; taken over.
    ///   - places: where the daemon is looked for.
    ///   - patience: how long, in seconds, at the start and after each loss.
    /// - Returns: the exit code: 0 when the client has ended and has all its answers, else 1.
    public static func run(_ descriptors: StdioDescriptors, places: SocketPlaces, patience: Double) -> Int32 {
        // A client that has gone is an error of write(2), not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        guard let input = DescriptorPump.input(descriptors.input),
            let output = DescriptorPump.output(descriptors.output)
        else {
            StandardError.write("gatekit connect: stdin or stdout cannot be used for a session")
            return 1
        }
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let exit = loop.makePromise(of: Int32.self)
        let milliseconds = Int(patience * 1000)
        let runner = NIOLoopBoundBox<BridgeRunner?>.makeEmptyBox(valueType: BridgeRunner.self, eventLoop: loop)
        let opened = NIOPipeBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: false)
            .channelOption(.writeBufferWaterMark, value: BridgeRunner.ChannelTuning.waterMark)
            .channelOption(.recvAllocator, value: BridgeRunner.ChannelTuning.receive)
            // Here and not afterwards: an input that has ended already is read to its end as soon as it is registered,
            // reading on or off, and what nobody handles is lost.
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connector = SocketConnector(loop: loop, places: places)
                    let made = BridgeRunner(client: channel, connector: connector, patience: milliseconds, exit: exit)
                    try channel.pipeline.syncOperations.addHandler(ClientHandler(runner: made))
                    runner.value = made
                }
            }
            .takingOwnershipOfDescriptors(input: input.descriptor, output: output.descriptor)
            .map { _ in
                // Set by the initializer, without which there is no channel.
                runner.value?.start()
                runner.value?.updateReading()
            }
        opened.whenFailure { exit.fail($0) }
        do {
            let code = try exit.futureResult.wait()
            // The last bytes must be in the file, where stdout is one. The loop's thread ends with the process.
            output.join()
            return code
        } catch {
            StandardError.write("gatekit connect: stdin or stdout cannot be used for a session: \(error)")
            return 1
        }
    }
}
