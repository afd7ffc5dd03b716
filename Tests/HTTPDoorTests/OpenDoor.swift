import AuditTrail
import Gateway
import GatewayConfiguration
import GatewayEvents
import Glibc
import Logging
import NIOCore
import NIOPosix
import Systemd
import Testing
import ToolPolicy
import Upstream

@testable import HTTPDoor

/// A door on a port of the kernel's choice, whose seconds pass when the test says so. The gateway behind it answers
/// nothing.
struct OpenDoor: Sendable {
    let door: NIOLoopBound<HTTPDoor>
    let loop: any EventLoop
    let port: Int

    /// Opens one for as long as `body` runs.
    static func with(_ settings: HTTPDoorSettings = HTTPDoorSettings(), _ body: (OpenDoor) async throws -> Void)
        async throws
    {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let spawner = SpawnThread(logger: Logger(label: "test"))
        try spawner.start()
        let opened = try await open(settings, group.next(), spawner)
        var failure: (any Error)?
        do {
            try await body(opened)
        } catch {
            failure = error
        }
        spawner.shutdown()
        try await group.shutdownGracefully()
        // What the loop still had to tell it has been told.
        withExtendedLifetime(opened) {}
        if let failure { throw failure }
    }

    private static func open(
        _ settings: HTTPDoorSettings, _ loop: any EventLoop, _ spawner: SpawnThread
    ) async throws -> OpenDoor {
        var settings = settings
        settings.port = 0
        let chosen = settings
        let opened = try await loop.flatSubmit { () -> EventLoopFuture<(NIOLoopBound<HTTPDoor>, Int)> in
            do {
                let gateway = try gateway(loop, spawner)
                return HTTPDoor.open(chosen, gateway, Logger(label: "test"), ticksByItself: false).map { bound in
                    (bound, bound.value.address?.port ?? 0)
                }
            } catch {
                return loop.makeFailedFuture(error)
            }
        }.get()
        return OpenDoor(door: opened.0, loop: loop, port: opened.1)
    }

    /// Its upstream never says a word, and its clock stands still.
    private static func gateway(_ loop: any EventLoop, _ spawner: SpawnThread) throws -> Gateway {
        let settings = Settings(
            upstream: UpstreamSettings(name: "none", command: ["/bin/sleep", "60"]), configPath: "/none")
        let trail = AuditTrail(
            run: "00000000", version: "0", journal: JournalWriter(), toolCallLog: .stderr { $0.count }
        ) { loop.execute($0) }
        let snapshot = Snapshot(generation: 1, configHash: "0", settings: settings, policies: PolicyChain())
        try trail.install(snapshot)
        return Gateway(
            snapshot: snapshot, version: "0", eventLoop: loop, trail: trail, spawner: spawner,
            workers: NIOSingletons.posixBlockingThreadPool, logger: Logger(label: "test"),
            launchPlan: { _ in
                LaunchPlan(program: "/bin/sleep", arguments: ["60"], environment: [:], workingDirectory: "/")
            },
            restartPolicy: { _ in RestartPolicy(attempts: 0, retryAfter: nil) })
    }

    /// Runs `body` on the loop.
    func on<T: Sendable>(_ body: @escaping @Sendable (HTTPDoor) -> T) async throws -> T {
        let door = door
        return try await loop.submit { body(door.value) }.get()
    }

    /// Lets seconds pass.
    func pass(_ seconds: Int) async throws {
        try await on { door in
            for _ in 0..<seconds { door.tick() }
        }
    }

    /// Waits until something holds on the loop; what the client has sent takes its time to come.
    func until(_ what: Comment, _ condition: @escaping @Sendable (HTTPDoor) -> Bool) async throws {
        for _ in 0..<5000 {
            if try await on(condition) { return }
            try await Task.sleep(for: .milliseconds(1))
        }
        Issue.record(what)
    }

    func connect() throws -> RawClient {
        try RawClient(port: port)
    }
}

/// A client that blocks, for ten seconds at most.
final class RawClient {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let result = address.withSockAddr { Glibc.connect(descriptor, $0, socklen_t($1)) }
        try #require(result == 0, "connect: \(String(cString: strerror(errno)))")
    }

    deinit {
        close(descriptor)
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        let sent = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        #expect(sent == bytes.count)
    }

    /// At most `count` bytes; empty at the end.
    func receive(_ count: Int = 65536) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = recv(descriptor, &bytes, count, 0)
        if received < 0, errno == ECONNRESET { return [] }
        try #require(received >= 0, "nothing came: \(String(cString: strerror(errno)))")
        return Array(bytes.prefix(received))
    }

    /// Everything until the door closes.
    func receiveAll() throws -> String {
        var all: [UInt8] = []
        while case let bytes = try receive(), !bytes.isEmpty { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }
}
