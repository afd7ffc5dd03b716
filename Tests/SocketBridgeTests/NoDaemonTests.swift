import Glibc
import NIOCore
import Testing

@testable import SocketBridge

@Suite("NoDaemon")
struct NoDaemonTests {
    static func miss(_ path: String, _ number: Int32) -> SocketMiss {
        SocketMiss(path: path, error: IOError(errnoCode: number, reason: "connect"))
    }

    @Test("every place is named with its reason, then the remedy")
    func places() {
        let error = NoDaemon(misses: [Self.miss("/a", ENOENT), Self.miss("/b", ECONNREFUSED)], isNamed: false)
        #expect(
            "\(error)"
                == "no daemon at /a: no such file; /b: nobody listens; start one ('systemctl start gatekit', or "
                + "'gatekit --config F' with 'transport: unix'), or name its socket with --socket or GATEKIT_SOCKET")
    }

    @Test(
        "what a person can do depends on what went wrong",
        arguments: [
            (ENOENT, "start one"), (ECONNREFUSED, "start one"), (EACCES, "join the socket's group"),
            (EPERM, "join the socket's group"), (ENOTSOCK, "no socket"), (EAGAIN, "Resource temporarily unavailable"),
        ])
    func remedies(_ number: Int32, _ remedy: String) {
        #expect("\(NoDaemon(misses: [Self.miss("/a", number)], isNamed: true))".contains(remedy))
    }
}
