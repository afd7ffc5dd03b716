import Glibc
import Testing

@testable import Systemd

@Suite("The journal's writer", .timeLimit(.minutes(1)))
struct JournalWriterTests {
    private static func entry(_ text: String) -> JournalEntry {
        var entry = JournalEntry()
        entry.append("MESSAGE", text)
        return entry
    }

    /// Pauses are of the order of milliseconds, so that a test that reconnects is short.
    private static func writer(_ receiver: JournalReceiver, capacity: Int = 4 << 20) -> JournalWriter {
        JournalWriter(path: receiver.path, capacity: capacity, backoff: 1...10)
    }

    /// Looks until `condition` holds; false when it never does.
    private static func becomes(_ condition: () -> Bool) -> Bool {
        for _ in 0..<20_000 {
            if condition() { return true }
            _ = poll(nil, 0, 1)
        }
        return false
    }

    /// A value under a name, since a failure would print all of its bytes.
    struct Value: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        var testDescription: String { name }
    }

    @Test(
        "every value arrives byte for byte",
        arguments: [
            Value(name: "empty", bytes: []), Value(name: "plain", bytes: Array("plain".utf8)),
            Value(name: "lines", bytes: Array("two\nlines\n".utf8)),
            Value(name: "binary", bytes: [0, 0xFF, 0x0A, 0x3D, 0x1B]), Value(name: "all", bytes: Array(0...255)),
            Value(name: "newlines", bytes: [UInt8](repeating: 0x0A, count: 100_000)),
            Value(name: "1 MiB", bytes: [UInt8](repeating: 0x78, count: 1 << 20)),
        ])
    func values(value: Value) throws {
        let receiver = JournalReceiver()
        let writer = Self.writer(receiver)
        writer.start()
        var entry = JournalEntry()
        entry.append("FIRST", "1")
        value.bytes.withUnsafeBytes { entry.append("VALUE", $0) }
        entry.append("LAST", "2")
        #expect(writer.offer(entry))
        let (fields, isFile) = try receiver.next()
        #expect(fields.map(\.name) == ["FIRST", "VALUE", "LAST"])
        #expect(fields.map(\.value) == [Array("1".utf8), value.bytes, Array("2".utf8)])
        #expect(isFile == (value.bytes.count > 500_000))
        writer.close(drainingFor: 10)
        #expect(writer.status.sent == 1 && writer.status.queuedEntries == 0 && writer.status.dropped == 0)
    }

    @Test("entries keep their order, those in files included")
    func order() throws {
        let receiver = JournalReceiver()
        let writer = Self.writer(receiver)
        for index in 0..<50 {
            #expect(writer.offer(Self.entry(index == 20 ? String(repeating: "x", count: 1 << 20) : "\(index)")))
        }
        #expect(!writer.isConnected, "nothing is sent before the start")
        #expect(writer.status.queuedEntries == 50)
        writer.start()
        for index in 0..<50 {
            let text = try receiver.text()
            #expect(index == 20 ? text.utf8.count == 1 << 20 : text == "\(index)")
        }
        writer.close(drainingFor: 10)
    }

    @Test("a receiver that does not read fills the queue, which refuses, and goes on when it reads again")
    func full() throws {
        let receiver = JournalReceiver()
        let writer = Self.writer(receiver, capacity: 64 * 1024)
        writer.start()
        #expect(writer.isConnected)
        let padding = String(repeating: "x", count: 1000)
        var offered = 0
        while writer.offer(Self.entry("\(offered) \(padding)")) { offered += 1 }
        // The kernel's own queue may have taken some meanwhile.
        while Self.becomes({ writer.freeBytes < 1100 }), writer.offer(Self.entry("\(offered) \(padding)")) {
            offered += 1
        }
        #expect(!writer.offer(Self.entry("refused \(padding)")))
        #expect(writer.status.queuedBytes <= 64 * 1024 && writer.status.queuedBytes > 60 * 1024)
        #expect(!writer.offer(Self.entry("y"), keepingFree: 4096), "what matters less is refused earlier")
        for index in 0..<offered { #expect(try receiver.text() == "\(index) \(padding)") }
        #expect(Self.becomes { writer.status.queuedEntries == 0 })
        #expect(writer.offer(Self.entry("more")))
        #expect(try receiver.text() == "more")
        #expect(writer.status.isConnected)
        writer.close(drainingFor: 10)
        #expect(writer.status.sent == UInt64(offered) + 1)
    }

    @Test("a receiver that vanishes and comes back gets all that was queued meanwhile")
    func reconnect() throws {
        let receiver = JournalReceiver()
        let writer = Self.writer(receiver)
        writer.start()
        #expect(writer.offer(Self.entry("before")))
        #expect(try receiver.text() == "before")
        for round in 0..<5 {
            receiver.vanish()
            for index in 0..<100 { #expect(writer.offer(Self.entry("\(round).\(index)"))) }
            #expect(Self.becomes { !writer.isConnected && writer.status.lastError != nil })
            #expect(writer.status.queuedEntries == 100)
            receiver.listen()
            for index in 0..<100 { #expect(try receiver.text() == "\(round).\(index)") }
        }
        writer.close(drainingFor: 10)
        #expect(writer.status.sent == 501)
        // What such a receiver had not read is gone, which the sender only learns by the connection's loss.
        #expect(writer.status.lostConnections == 5)
    }

    @Test("a journal that comes later gets what was offered before")
    func late() throws {
        let receiver = JournalReceiver(listening: false)
        let writer = Self.writer(receiver)
        writer.start()
        #expect(!writer.isConnected)
        #expect(writer.status.lastError == "cannot reach \(receiver.path): no such file or directory")
        #expect(writer.offer(Self.entry("early")))
        receiver.listen()
        #expect(try receiver.text() == "early")
        #expect(Self.becomes { writer.isConnected })
        writer.close(drainingFor: 10)
    }

    @Test("a writer without entries finds out by itself that the journal is there again")
    func idle() {
        let receiver = JournalReceiver(listening: false)
        let writer = Self.writer(receiver)
        writer.start()
        receiver.listen()
        #expect(Self.becomes { writer.isConnected })
        writer.close(drainingFor: 0)
    }

    @Test("closing sends what waits, started or not, and takes no more", arguments: [true, false])
    func close(isStarted: Bool) throws {
        let receiver = JournalReceiver()
        let writer = Self.writer(receiver)
        if isStarted { writer.start() }
        for index in 0..<5 { #expect(writer.offer(Self.entry("\(index)"))) }
        writer.close(drainingFor: 10)
        for index in 0..<5 { #expect(try receiver.text() == "\(index)") }
        #expect(!writer.offer(Self.entry("late")))
        writer.close(drainingFor: 10)
        #expect(writer.status.sent == 5 && !writer.isConnected)
    }

    @Test("closing gives up at its deadline when there is no journal, and says what is left")
    func deadline() {
        let receiver = JournalReceiver(listening: false)
        let writer = Self.writer(receiver)
        writer.start()
        #expect(writer.offer(Self.entry("lost")))
        let began = MonotonicTime.now
        writer.close(drainingFor: 0.05)
        #expect(MonotonicTime.now - began < 10_000_000_000)
        #expect(writer.status.queuedEntries == 1 && writer.status.sent == 0)
    }

    @Test("a path that no socket can have is an error and no crash")
    func longPath() {
        let writer = JournalWriter(path: "/tmp/" + String(repeating: "x", count: 200))
        writer.start()
        #expect(writer.status.lastError?.hasSuffix("file name too long") == true)
        writer.close(drainingFor: 0)
    }
}
