import GatewayConfiguration
import Glibc
import MetricsDoor
import NIOCore
import NIOPosix
import Testing

@Suite("The metrics door")
struct MetricsDoorTests {
    /// A door on a port that the system chose, and a client that speaks bytes.
    final class Scene {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let door: NIOLoopBound<MetricsDoor>
        let port: Int

        init(patience: TimeAmount = .seconds(30), body: String = "a 1\n") throws {
            let loop = group.next()
            let opened = loop.flatSubmit {
                MetricsDoor.open(MetricsSettings(port: 0), on: loop, patience: patience) {
                    (ByteBuffer(string: body), "text/x")
                }.flatMapThrowing { ($0, try #require($0.value.port)) }
            }
            (door, port) = try opened.wait()
        }

        deinit {
            let door = door
            // The group ends the loop with all that is left on it.
            try? group.next().submit { door.value.close() }.wait()
            try? group.syncShutdownGracefully()
        }

        func connect() throws -> Int32 {
            let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let code = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(code == 0)
            // A test that waits for what never comes must fail, not hang.
            var limit = timeval(tv_sec: 20, tv_usec: 0)
            setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            return number
        }

        /// Everything that comes until the other end closes.
        func readAll(_ number: Int32) throws -> String {
            var all: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = recv(number, &buffer, buffer.count, 0)
                // A connection that is closed with bytes unread is reset.
                if count < 0, errno == ECONNRESET { break }
                try #require(count >= 0, "the connection was not closed")
                if count == 0 { break }
                all += buffer[..<count]
            }
            return String(decoding: all, as: UTF8.self)
        }

        func ask(_ text: String) throws -> String {
            let number = try connect()
            defer { close(number) }
            let bytes = Array(text.utf8)
            try #require(send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
            return try readAll(number)
        }
    }

    @Test("answers a scrape with what was rendered, and closes")
    func scrape() throws {
        let answer = try Scene().ask("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
        let head = parts[0].lowercased().split(separator: "\r\n")
        #expect(head[0] == "http/1.1 200 ok")
        #expect(head.contains("content-type: text/x") && head.contains("content-length: 4"))
        #expect(head.contains("connection: close"))
        #expect(parts[1] == "a 1\n")
    }

    @Test(
        "everything else has its status",
        arguments: [
            ("GET / HTTP/1.1\r\nhost: x\r\n\r\n", "404"), ("GET /metricsx HTTP/1.1\r\nhost: x\r\n\r\n", "404"),
            ("GET /metrics?a=b HTTP/1.1\r\nhost: x\r\n\r\n", "200"), ("GET /metrics HTTP/1.0\r\n\r\n", "200"),
            ("POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n", "405"),
            ("HEAD /metrics HTTP/1.1\r\nhost: x\r\n\r\n", "405"),
            ("GET /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\na", "400"),
            ("nonsense\r\n\r\n", "400"),
            ("GET /metrics HTTP/1.1\r\nx: \(String(repeating: "a", count: 9000))\r\n\r\n", "431"),
        ])
    func statuses(request: String, status: String) throws {
        #expect(try Scene().ask(request).split(separator: " ").dropFirst().first.map(String.init) == status)
    }

    @Test("a second request on the same connection is not answered")
    func pipelining() throws {
        let request = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"
        let answer = try Scene().ask(request + request + request)
        #expect(answer.split(separator: "HTTP/1.1 200").count == 1)
    }

    @Test("a client that sends half a request is closed when patience is over")
    func slow() throws {
        let scene = try Scene(patience: .milliseconds(50))
        #expect(try scene.ask("GET /metrics HTT") == "")
    }

    @Test("sixteen connections at once; the next is closed, and one more is let in when one has gone")
    func connections() throws {
        let scene = try Scene()
        var open: [Int32] = []
        defer { for number in open { close(number) } }
        for _ in 0..<MetricsDoor.mostConnections { open.append(try scene.connect()) }
        let further = try scene.connect()
        #expect(try scene.readAll(further) == "")
        close(further)
        let request = Array("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".utf8)
        let first = open.removeFirst()
        try #require(send(first, request, request.count, 0) == request.count)
        #expect(try scene.readAll(first).hasSuffix("a 1\n"))
        close(first)
        #expect(try scene.ask(String(decoding: request, as: UTF8.self)).hasSuffix("a 1\n"))
    }

    @Test("an address that is taken is named in the error")
    func taken() throws {
        let scene = try Scene()
        let loop = scene.group.next()
        let port = scene.port
        let failure = #expect(throws: MetricsDoorError.self) {
            _ = try loop.flatSubmit {
                MetricsDoor.open(MetricsSettings(port: port), on: loop) { (ByteBuffer(), "") }
            }.wait()
        }
        #expect(failure?.description.hasPrefix("cannot listen on metrics.listen 127.0.0.1:\(port): ") == true)
    }
}
