import GatewayConfiguration
import JSONRPCWire
import NIOCore
import Testing

@testable import HTTPDoor

@Suite("HTTPConnection's patience")
struct PatienceTests {
    private static let health = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

    private static func post(_ door: OpenDoor, length: Int) -> String {
        "POST /mcp HTTP/1.1\r\nHost: localhost:\(door.port)\r\nContent-Type: application/json\r\n"
            + "Accept: application/json, text/event-stream\r\nContent-Length: \(length)\r\n\r\n"
    }

    private static let initialize = """
        {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},\
        "clientInfo":{"name":"n","version":"1"}}}
        """

    @Test(
        "a head has ten seconds, however it trickles in", arguments: ["", "GET /", "GET /healthz HTTP/1.1\r\nHost: l"])
    func head(_ begin: String) async throws {
        try await OpenDoor.with { door in
            let client = try door.connect()
            try await door.until("it is connected") { $0.connectionCount == 1 }
            if !begin.isEmpty { client.send(begin) }
            try await door.pass(9)
            if !begin.isEmpty { client.send("x") }
            #expect(try await door.on { $0.connectionCount } == 1)
            try await door.pass(1)
            #expect(try client.receiveAll() == "")
            #expect(try await door.on { $0.connectionCount } == 0)
        }
    }

    @Test("a body has a minute and is refused then")
    func body() async throws {
        try await OpenDoor.with { door in
            let client = try door.connect()
            client.send(Self.post(door, length: 100) + "{")
            try await door.until("its body has begun") { $0.bodyBytes == 1 }
            try await door.pass(59)
            client.send(" ")
            try await door.until("the body goes on") { $0.bodyBytes == 2 }
            try await door.pass(1)
            let answer = try client.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
            #expect(answer.contains("body did not come in time"))
            #expect(try await door.on { $0.bodyBytes } == 0)
        }
    }

    @Test("between two requests a connection is kept for two minutes")
    func idle() async throws {
        try await OpenDoor.with { door in
            let client = try door.connect()
            for _ in 0..<2 {
                client.send(Self.health)
                #expect(try !client.receive().isEmpty)
                try await door.pass(119)
                #expect(try await door.on { $0.connectionCount } == 1)
            }
            try await door.pass(1)
            #expect(try client.receiveAll() == "")
        }
    }

    @Test("after 15 seconds of silence an answer becomes a stream that shows signs of life")
    func silence() async throws {
        try await OpenDoor.with { door in
            let client = try door.connect()
            client.send(Self.post(door, length: Self.initialize.utf8.count) + Self.initialize)
            try await door.until("it waits for its answer") { $0.sessions.count == 1 }
            try await door.pass(15)
            var text = String(decoding: try client.receive(), as: UTF8.self)
            while !text.contains("keep-alive") { text += String(decoding: try client.receive(), as: UTF8.self) }
            #expect(text.contains("Content-Type: text/event-stream"))
            try await door.pass(15)
            #expect(String(decoding: try client.receive(), as: UTF8.self).contains(": keep-alive"))
        }
    }

    @Test(
        "who takes nothing of a large answer for 30 seconds is dropped; who takes it slowly is not",
        arguments: [true, false])
    func stall(_ takes: Bool) async throws {
        try await OpenDoor.with { door in
            let client = try door.connect()
            client.send(Self.post(door, length: Self.initialize.utf8.count) + Self.initialize)
            try await door.until("it waits for its answer") { $0.sessions.count == 1 }
            // More than the kernel's buffers take, so that the rest waits in the door.
            let body = ByteBuffer(repeating: 0x20, count: 24 << 20)
            try await door.on { door in
                for connection in door.connections.values {
                    connection.respond(HTTPResponse(status: .ok, contentType: "application/json", body: body))
                }
            }
            var taken = 0
            for _ in 0..<6 {
                try await door.pass(10)
                if takes {
                    // As much as moves the window on.
                    let goal = taken + 3 << 20
                    while taken < goal { taken += try client.receive(1 << 20).count }
                    try await door.until("the door has noticed") {
                        $0.connections.values.allSatisfy { $0.queued < 24 << 20 }
                    }
                }
            }
            #expect(try await door.on { $0.connectionCount } == (takes ? 1 : 0))
        }
    }

    @Test("a handshake that never ends is given up")
    func handshake() async throws {
        var settings = HTTPDoorSettings()
        settings.tls = TLSContextTests.validFiles
        try await OpenDoor.with(settings) { door in
            let client = try door.connect()
            client.send("\u{16}\u{3}\u{1}")
            try await door.until("it is connected") { $0.connectionCount == 1 }
            try await door.pass(10)
            #expect(try client.receiveAll().utf8.count < 100, "an alert at most")
            try await door.until("it is forgotten") { $0.connectionCount == 0 }
        }
    }

    @Test("what a refused client still sends is thrown away for two seconds")
    func linger() async throws {
        try await OpenDoor.with { door in
            let client = try door.connect()
            client.send(Self.post(door, length: 1 << 40) + "{")
            let answer = String(decoding: try client.receive(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 413 "), "\(answer)")
            client.send("more")
            #expect(try await door.on { $0.connectionCount } == 1)
            try await door.pass(2)
            #expect(try await door.on { $0.connectionCount } == 0)
        }
    }
}
