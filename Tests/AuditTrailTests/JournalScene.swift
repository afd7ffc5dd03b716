import GatewayConfiguration
import Glibc
import Systemd
import Testing

@testable import AuditTrail

/// A trail whose journal is a socket of the test, which reads back what arrived.
final class JournalScene {
    let directory = ScratchDirectory()
    let writer: JournalWriter
    private(set) var scene: Scene
    private var number: Int32

    /// `capacity` is the queue's; without `isListening` there is no journal.
    init(
        capacity: Int = 4 << 20, isListening: Bool = true, logsToJournal: Bool = false,
        _ change: @escaping (inout Settings) -> Void
    ) throws {
        let path = directory.file("socket")
        number = isListening ? Self.bind(path) : -1
        writer = JournalWriter(path: path, capacity: capacity)
        scene = try Scene([], journal: writer, logsToJournal: logsToJournal, change: change)
    }

    deinit {
        writer.close(drainingFor: 0)
        if number >= 0 { close(number) }
    }

    func listen() {
        number = Self.bind(directory.file("socket"))
    }

    /// As when journald is stopped together with its socket.
    func vanish() {
        close(number)
        unlink(directory.file("socket"))
        number = -1
    }

    /// The next entry. Its values hold no newline, which the form without lengths shows.
    func next() throws -> [String: String] {
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        let count = recv(number, &buffer, buffer.count, 0)
        try #require(count > 0, "nothing came")
        var fields: [String: String] = [:]
        for line in buffer[..<count].split(separator: 0x0A) {
            let equals = try #require(line.firstIndex(of: UInt8(ascii: "=")), "a sized value")
            let name = String(decoding: line[..<equals], as: UTF8.self)
            let isNew = fields.updateValue(String(decoding: line[(equals + 1)...], as: UTF8.self), forKey: name) == nil
            #expect(isNew, "\(name) stands twice")
        }
        return fields
    }

    /// Looks until `condition` holds, ticking as the loop does; false when it never does.
    func becomes(_ condition: () -> Bool) -> Bool {
        for _ in 0..<10_000 {
            scene.tick()
            if condition() { return true }
            _ = poll(nil, 0, 2)
        }
        return false
    }

    private static func bind(_ path: String) -> Int32 {
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        precondition(code == 0, "cannot bind \(path)")
        // A test that waits for what never comes must fail, not hang.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return number
    }
}
