import GatewayEvents
import Glibc
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import ControlPlane

/// A control server on a real loop; closed with the fixture.
final class LiveServer {
    let path: String
    let loop: any EventLoop
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let server: NIOLoopBound<ControlServer>
    private let report: NIOLoopBoundBox<StatusReport>

    init(
        _ path: String, limits: ControlServer.Limits = ControlServer.Limits(), status: StatusReport = .example()
    ) throws {
        self.path = path
        let loop = group.next()
        self.loop = loop
        let report = try loop.submit { NIOLoopBoundBox(status, eventLoop: loop) }.wait()
        self.report = report
        server = try loop.flatSubmit {
            ControlServer.open(
                path: path, eventLoop: loop, limits: limits, status: { report.value },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }.wait()
    }

    deinit {
        try? close()
        // Nothing of the test depends on how the loop ends.
        try? group.syncShutdownGracefully()
    }

    func close() throws {
        let server = server
        try loop.submit { server.value.close() }.wait()
    }

    func publish(_ outcome: ReloadOutcome) throws {
        let server = server
        try loop.submit { server.value.publish(outcome) }.wait()
    }

    func connections() throws -> Int {
        let server = server
        return try loop.submit { server.value.connections.count }.wait()
    }

    func setStatus(_ change: @escaping @Sendable (inout StatusReport) -> Void) throws {
        let report = report
        try loop.submit { change(&report.value) }.wait()
    }
}

/// A connection that says what a ControlClient would not.
final class RawConnection {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let address = try ControlAddress(path)
        let result = address.with { connect(descriptor, $0, $1) }
        try #require(result == 0)
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        try #require(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    /// One line, or what came before the end.
    func line() throws -> String {
        try read { $0.last == UInt8(ascii: "\n") }
    }

    /// Everything up to the end.
    func rest() throws -> String {
        try read { _ in false }
    }

    private func read(until isDone: ([UInt8]) -> Bool) throws -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        let deadline = ControlTime.monotonic() + 20_000_000_000
        while !isDone(bytes) {
            try #require(Readiness.wait(descriptor, POLLIN, until: deadline), "nothing came in 20 s")
            let count = Glibc.read(descriptor, &byte, 1)
            if count <= 0 { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Some seconds from now: a test that waits that long has failed.
func soon() -> UInt64 { ControlTime.monotonic() + 20_000_000_000 }
