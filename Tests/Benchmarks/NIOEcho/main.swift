// A plain NIO echo server on a Unix socket: what the event loop and the channels cost when nothing is done.
//
//   nio-echo PATH
//
// One loop, as in the gateway. It prints `accepting` on stdout when the socket is open, and runs until it is killed.
import NIOCore
import NIOPosix

guard CommandLine.arguments.count == 2 else {
    fatalError("usage: nio-echo PATH")
}
let path = CommandLine.arguments[1]
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let server = try ServerBootstrap(group: group)
    .serverChannelOption(.backlog, value: 1024)
    .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(EchoHandler())
        }
    }
    .bind(unixDomainSocketPath: path)
    .wait()
print("accepting")
try server.closeFuture.wait()
