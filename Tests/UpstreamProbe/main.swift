// A gateway in miniature for tests that must kill one, or be one that adopts orphans: runs `sh -c SCRIPT` as its
// upstream, passes the script's output on, and says how it ended.
//
//     upstream-probe [--reaper | --subreaper] SCRIPT
//
// With either flag strangers are reaped; --subreaper first asks for them, as a process that is not PID 1 must. The
// numbers that the script printed are then watched, and `reaped N` is printed once the process N is gone.
import CSpawn
import Glibc
import Logging
import NIOCore
import NIOPosix
import Upstream

var arguments = Array(CommandLine.arguments.dropFirst())
let flag = arguments.count == 2 ? arguments.removeFirst() : nil
if flag == "--subreaper", gk_become_subreaper() != 0 { fatalError("cannot become a subreaper") }
let logger = Logger(label: "probe") { _ in SwiftLogNoOpLogHandler() }
let spawner = SpawnThread(reapsForeignProcesses: flag != nil, logger: logger)
try spawner.start()
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
try Probe.run(script: arguments[0], watches: flag != nil, spawner: spawner, on: group.next(), logger: logger)
spawner.shutdown()
try group.syncShutdownGracefully()
