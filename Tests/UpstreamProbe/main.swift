// A gateway in miniature, for tests that must kill one, give one orphans, or count what it holds.
//
//     upstream-probe [--reaper | --subreaper] SCRIPT
//
// runs `sh -c SCRIPT` as its upstream, passes the script's output on, and says how it ended. With either flag strangers
// are reaped; --subreaper first asks for them, as a process that is not PID 1 must. The numbers that the script printed
// are then watched, and `reaped N` is printed once the process N is gone.
//
//     upstream-probe --failing PROGRAM DIRECTORY
//
// tries fifty times to start what cannot be started, and says what that left behind.
import CSpawn
import Glibc
import Logging
import NIOCore
import NIOPosix
import Upstream

var arguments = Array(CommandLine.arguments.dropFirst())
let flag = arguments.count > 1 ? arguments.removeFirst() : nil
if flag == "--subreaper", gk_become_subreaper() != 0 { fatalError("cannot become a subreaper") }
let logger = Logger(label: "probe") { _ in SwiftLogNoOpLogHandler() }
let spawner = SpawnThread(reapsForeignProcesses: flag?.hasSuffix("reaper"), logger: logger)
try spawner.start()
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
if flag == "--failing" {
    try FailureProbe.run(
        program: arguments[0], directory: arguments[1], spawner: spawner, on: group.next(), logger: logger)
} else {
    try Probe.run(script: arguments[0], watches: flag != nil, spawner: spawner, on: group.next(), logger: logger)
}
spawner.shutdown()
try group.syncShutdownGracefully()
