import Glibc
import Synchronization
import Testing

@testable import Systemd

@Suite("What the service manager is told")
struct ServiceNotifierTests {
    /// Collects what would be sent.
    private final class Outgoing: Sendable {
        let texts = Mutex<[String]>([])
        /// What the next sends return; 1 when empty.
        let results = Mutex<[Int32]>([])

        var notifier: ServiceNotifier {
            ServiceNotifier { text in
                self.texts.withLock { $0.append(text) }
                return self.results.withLock { $0.isEmpty ? 1 : $0.removeFirst() }
            }
        }
    }

    private func sent(_ calls: (ServiceNotifier) -> Void, results: [Int32] = []) -> [String] {
        let outgoing = Outgoing()
        outgoing.results.withLock { $0 = results }
        let notifier = outgoing.notifier
        calls(notifier)
        #expect(notifier.flush())
        return outgoing.texts.withLock { $0 }
    }

    @Test("each state is the assignments that sd_notify(3) names")
    func assignments() {
        let texts = sent { notifier in
            notifier.ready(status: "up")
            notifier.reloaded(status: "refused", errno: 22)
            notifier.reloaded(status: "generation 2", errno: 0)
            notifier.status("12 sessions")
            notifier.extendTimeout(microseconds: 5_000_000)
            notifier.watchdog()
            notifier.failed(status: "no upstream", errno: 2)
            notifier.stopping(status: "ending 3 calls")
        }
        #expect(
            texts == [
                "READY=1\nSTATUS=up",
                "READY=1\nERRNO=22\nSTATUS=refused",
                "READY=1\nERRNO=0\nSTATUS=generation 2",
                "STATUS=12 sessions",
                "EXTEND_TIMEOUT_USEC=5000000",
                "WATCHDOG=1",
                "ERRNO=2\nSTATUS=no upstream",
                "STOPPING=1\nSTATUS=ending 3 calls",
            ])
    }

    @Test("a reload carries the moment it began on the monotonic clock")
    func reloading() throws {
        var before = timespec()
        clock_gettime(CLOCK_MONOTONIC, &before)
        let lines = try #require(sent { $0.reloading(status: "reading") }.first).split(separator: "\n")
        var after = timespec()
        clock_gettime(CLOCK_MONOTONIC, &after)
        #expect(lines.first == "RELOADING=1")
        let assignment = try #require(lines.dropFirst().first)
        #expect(assignment.hasPrefix("MONOTONIC_USEC="))
        let moment = try #require(Int(assignment.dropFirst("MONOTONIC_USEC=".count)))
        #expect(moment >= before.tv_sec * 1_000_000 + before.tv_nsec / 1000)
        #expect(moment <= after.tv_sec * 1_000_000 + after.tv_nsec / 1000)
    }

    @Test("a status that stays the same is sent once, and its state each time")
    func equalStatus() {
        let texts = sent { notifier in
            notifier.status("a")
            notifier.status("a")
            notifier.reloaded(status: "a", errno: 0)
            notifier.status("b")
            notifier.status("a")
        }
        #expect(texts == ["STATUS=a", "READY=1\nERRNO=0", "STATUS=b", "STATUS=a"])
    }

    @Test("a status that was not delivered is sent again")
    func lostStatus() {
        let texts = sent({ for _ in 0..<3 { $0.status("a") } }, results: [-ECONNREFUSED])
        #expect(texts == ["STATUS=a", "STATUS=a"])
    }

    @Test("a status cannot make assignments of its own", arguments: ["\n", "\r\n", "\u{0}", "\u{85}", "\u{2028}"])
    func hostileStatus(_ separator: String) throws {
        let text = try #require(sent { $0.status("refused: \(separator)MAINPID=1") }.first)
        let spaces = String(repeating: " ", count: separator.unicodeScalars.count)
        #expect(text == "STATUS=refused: \(spaces)MAINPID=1")
    }

    @Test("a long status is cut between characters", arguments: ["x", "ü", "€", "😀"])
    func longStatus(_ character: String) throws {
        let whole = String(repeating: character, count: 5000)
        let text = try #require(sent { $0.ready(status: whole) }.first)
        let status = text.dropFirst("READY=1\nSTATUS=".count)
        #expect(status.utf8.count <= NotifyMessage.statusLimit)
        #expect(status.utf8.count > NotifyMessage.statusLimit - 8)
        #expect(status.last == "…")
        #expect(status.dropLast().allSatisfy { String($0) == character })
    }

    @Test("messages of one thread keep their order while PID 1 is slow, and the caller does not wait")
    func order() {
        let outgoing = Outgoing()
        let held = Mutex(())
        let notifier = ServiceNotifier { text in
            held.withLock { _ in outgoing.texts.withLock { $0.append(text) } }
            return 1
        }
        let expected = (0..<200).map { "STATUS=\($0)" }
        // Were a call to wait for the send, it would never return from inside this lock.
        held.withLock { _ in
            for number in 0..<200 { notifier.status("\(number)") }
            #expect(!notifier.flush(within: .milliseconds(1)))
        }
        #expect(notifier.flush())
        #expect(outgoing.texts.withLock { $0 } == expected)
    }

    @Test("libsystemd sends to a socket in the file system")
    func fileSocket() async {
        await #expect(processExitsWith: .success) {
            let socket = try NotifySocket("/tmp/gatekit-notify-\(getpid())")
            let notifier = try #require(ServiceNotifier.fromEnvironment())
            notifier.ready(status: "enforcing ünïcode rules")
            notifier.watchdog()
            try #expect(socket.next() == ["READY=1", "STATUS=enforcing ünïcode rules"])
            try #expect(socket.next() == ["WATCHDOG=1"])
        }
    }

    @Test("libsystemd sends to an abstract socket")
    func abstractSocket() async {
        await #expect(processExitsWith: .success) {
            let socket = try NotifySocket("@gatekit-notify-\(getpid())")
            try #require(ServiceNotifier.fromEnvironment()).stopping(status: "bye")
            try #expect(socket.next() == ["STOPPING=1", "STATUS=bye"])
        }
    }

    @Test("there is nobody to tell without NOTIFY_SOCKET")
    func withoutManager() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NOTIFY_SOCKET")
            #expect(ServiceNotifier.fromEnvironment() == nil)
            setenv("NOTIFY_SOCKET", "", 1)
            #expect(ServiceNotifier.fromEnvironment() == nil)
        }
    }
}

@Suite("The watchdog's interval")
struct WatchdogTests {
    @Test("is half of WATCHDOG_USEC, for the process that it names")
    func interval() async {
        await #expect(processExitsWith: .success) {
            setenv("WATCHDOG_USEC", "20000000", 1)
            setenv("WATCHDOG_PID", "\(getpid())", 1)
            #expect(Watchdog.interval == .seconds(10))
            setenv("WATCHDOG_PID", "1", 1)
            #expect(Watchdog.interval == nil)
            unsetenv("WATCHDOG_USEC")
            unsetenv("WATCHDOG_PID")
            #expect(Watchdog.interval == nil)
        }
    }
}
