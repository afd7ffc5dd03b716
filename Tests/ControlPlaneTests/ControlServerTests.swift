import GatewayEvents
import Glibc
import NIOCore
import Testing

@testable import ControlPlane

@Suite("Control servers")
struct ControlServerTests {
    private let scratch: ScratchDirectory
    private let path: String

    init() throws {
        scratch = try ScratchDirectory()
        path = "\(scratch.path)/gatekit.control"
    }

    @Test("answer with the status, every time it is asked")
    func status() throws {
        let server = try LiveServer(path)
        let client = try ControlClient(path)
        #expect(try client.status(until: soon()) == .example())
        try server.setStatus { $0.sessions = 77 }
        #expect(try client.status(until: soon()).sessions == 77)
    }

    @Test("tell subscribers of every outcome in order, and nobody else")
    func outcomes() throws {
        let server = try LiveServer(path)
        let subscriber = try ControlClient(path)
        let other = try ControlClient(path)
        try subscriber.subscribe(until: soon())
        let outcomes = [ReloadOutcome.example(.refused, generation: 4), .example(.applied, changes: ["a", "b"])]
        for outcome in outcomes { try server.publish(outcome) }
        for outcome in outcomes { #expect(try subscriber.outcome(until: soon()) == ReloadReport(outcome)) }
        #expect(try other.status(until: soon()) == .example())
    }

    @Test("write an outcome with the keys that scripts rely on")
    func outcomeKeys() throws {
        let server = try LiveServer(path)
        let connection = try RawConnection(path)
        try connection.send("{\"op\":\"reloads\"}\n")
        #expect(try connection.line() == "{\"subscribed\":true}\n")
        try server.publish(.example(began: 7, problems: ["a.yaml:1:2: no"]))
        #expect(
            try connection.line()
                == #"{"reload":{"began_ns":7,"candidate_hash":"5e6f7a8b","changes":[],"config_hash":"1a2b3c4d","#
                + #""duration_ms":4.21,"env_source":"live","generation":5,"notes":[],"problems":["a.yaml:1:2: no"],"#
                + #""result":"applied","time":"2026-01-02T03:04:05.000006Z"}}"# + "\n")
    }

    @Test("take a request byte by byte, and several at once")
    func pieces() throws {
        let server = try LiveServer(path)
        let slow = try RawConnection(path)
        for character in "{\"op\":\"reloads\"}\n" { try slow.send(String(character)) }
        #expect(try slow.line() == "{\"subscribed\":true}\n")
        let quick = try RawConnection(path)
        try quick.send("{\"op\":\"reloads\"}\n{ \"op\" : \"reloads\" }\n{\"op\":\"stat")
        #expect(try quick.line() == "{\"subscribed\":true}\n")
        #expect(try quick.line() == "{\"subscribed\":true}\n")
        try quick.send("us\"}\n")
        #expect(try quick.line().hasPrefix("{\"status\":{"))
        try server.close()
    }

    @Test(
        "say what a request looks like and hang up",
        arguments: ["\n", "status\n", "{}\n", "{\"op\":\"reload\"}\n", "[]\n", "\u{0}\u{1}\n", "{\"op\":7}\n"])
    func garbage(_ text: String) throws {
        let server = try LiveServer(path)
        let connection = try RawConnection(path)
        try connection.send(text)
        #expect(
            try connection.rest()
                == #"{"error":"not a request: say {\"op\":\"status\"} or {\"op\":\"reloads\"}"}"# + "\n")
        #expect(try server.connections() == 0)
    }

    @Test("take a line of 4 KiB with its end, and no longer one", arguments: [(4096, true), (4097, false)])
    func lineLength(_ length: Int, _ isServed: Bool) throws {
        let server = try LiveServer(path)
        let connection = try RawConnection(path)
        let request = "{\"op\":\"status\"}"
        try connection.send(request + String(repeating: " ", count: length - request.utf8.count - 1) + "\n")
        let answer = try isServed ? connection.line() : connection.rest()
        #expect(answer.hasPrefix(isServed ? "{\"status\"" : "{\"error\":\"a request has less than 4096 bytes\"}"))
        #expect(try server.connections() == (isServed ? 1 : 0))
    }

    @Test("hang up on a line that never ends")
    func endless() throws {
        let server = try LiveServer(path)
        let connection = try RawConnection(path)
        try connection.send(String(repeating: "x", count: 4096))
        #expect(try connection.rest() == "{\"error\":\"a request has less than 4096 bytes\"}\n")
        #expect(try server.connections() == 0)
    }

    @Test("serve so many connections and tell the next one, until one has gone")
    func connections() throws {
        var limits = ControlServer.Limits()
        limits.connections = 2
        let server = try LiveServer(path, limits: limits)
        let first = try ControlClient(path)
        _ = try first.status(until: soon())
        do {
            let second = try RawConnection(path)
            try second.send("{\"op\":\"status\"}\n")
            _ = try second.line()
            let third = try RawConnection(path)
            #expect(try third.rest() == "{\"error\":\"too many connections: at most 2 at a time\"}\n")
            try second.send("bye\n")
            _ = try second.rest()
        }
        #expect(try ControlClient(path).status(until: soon()).pid == getpid())
        try server.close()
    }

    @Test("hang up on who asks nothing, not on who subscribed")
    func idle() throws {
        var limits = ControlServer.Limits()
        limits.idle = .milliseconds(300)
        let server = try LiveServer(path, limits: limits)
        let subscriber = try ControlClient(path)
        try subscriber.subscribe(until: soon())
        // It began to be idle later than the subscriber, and its time is over first.
        let silent = try RawConnection(path)
        #expect(try silent.rest() == "{\"error\":\"no request within 0 s\"}\n")
        try server.publish(.example(generation: 9))
        #expect(try subscriber.outcome(until: soon()).generation == 9)
    }

    @Test("drop a subscriber that does not read")
    func unread() throws {
        let server = try LiveServer(path)
        let deaf = try RawConnection(path)
        try deaf.send("{\"op\":\"reloads\"}\n")
        _ = try deaf.line()
        let long = [String(repeating: "x", count: 1024 * 1024)]
        try server.publish(.example(changes: long))
        #expect(try server.connections() == 1)
        try server.publish(.example(changes: long))
        #expect(try server.connections() == 0)
    }

    @Test("have a socket of mode 0600 that goes with them")
    func file() throws {
        let server = try LiveServer(path)
        var status = stat()
        try #require(lstat(path, &status) == 0)
        #expect(status.st_mode & S_IFMT == S_IFSOCK)
        #expect(status.st_mode & 0o777 == 0o600)
        let client = try ControlClient(path)
        try client.subscribe(until: soon())
        try server.close()
        #expect(lstat(path, &status) != 0)
        let error = try #require(throws: ControlError.self) { try client.outcome(until: soon()) }
        #expect(error == ControlError(.ended, "\(path) was closed before the answer came"))
    }

    @Test("replace the socket of a killed process, and leave that of a later one alone")
    func leftover() throws {
        let first = try LiveServer(path)
        let second = try LiveServer(path)
        try first.close()
        #expect(try ControlClient(path).status(until: soon()) == .example())
        try second.close()
        #expect(access(path, F_OK) != 0)
    }

    @Test("do not replace what is no socket")
    func occupied() throws {
        _ = try scratch.write("precious", to: "gatekit.control")
        let error = try #require(throws: ControlError.self) { _ = try LiveServer(path) }
        #expect(
            error
                == ControlError(
                    .notOurs, "\(path) exists and is no socket: remove it, or choose another --pid-file"))
    }

    @Test("are reached at a path that is too long for an address")
    func longPath() throws {
        let part = String(repeating: "d", count: 120)
        scratch.directory(part)
        let long = "\(scratch.path)/\(part)/gatekit.control"
        let server = try LiveServer(long)
        #expect(try ControlClient(long).status(until: soon()) == .example())
        try server.close()
        #expect(access(long, F_OK) != 0)
        let name = "\(scratch.path)/\(part)/\(String(repeating: "n", count: 81))"
        let error = try #require(throws: ControlError.self) { _ = try ControlClient(name) }
        #expect(error.description.contains("at most 80 bytes"))
    }

    @Test(
        "serve root and the daemon's user only",
        arguments: [(0, 990, true), (990, 990, true), (1000, 990, false), (65534, 990, false), (1000, 0, false)])
    func permission(_ uid: UInt32, _ owner: UInt32, _ isPermitted: Bool) {
        #expect(ControlPeer(uid: uid).isPermitted(owner: owner) == isPermitted)
    }
}

@Suite("Control clients")
struct ControlClientTests {
    @Test("do not wait longer than their deadline")
    func deadline() throws {
        let scratch = try ScratchDirectory()
        let server = try LiveServer("\(scratch.path)/c")
        let client = try ControlClient(server.path)
        try client.subscribe(until: soon())
        let error = try #require(throws: ControlError.self) { try client.outcome(until: ControlTime.monotonic()) }
        #expect(error == ControlError(.timedOut, "\(server.path): no answer in time"))
        // The connection is as good as before.
        try server.publish(.example(generation: 6))
        #expect(try client.outcome(until: soon()).generation == 6)
    }

    @Test("name the socket that nobody serves")
    func absent() throws {
        let error = try #require(throws: ControlError.self) { _ = try ControlClient("/nowhere/gatekit.control") }
        #expect(error.description == "connect /nowhere/gatekit.control: No such file or directory")
    }
}
