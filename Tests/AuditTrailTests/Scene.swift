import GatewayConfiguration
import GatewayEvents
import Glibc
import NIOCore
import OutputSanitizer
import Synchronization
import Systemd
import ToolPolicy

@testable import AuditTrail

/// A directory that is gone when the test is over.
final class ScratchDirectory {
    let path: String
    private var isMounted = false

    init() {
        var template = Array("/tmp/audit-trail-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no scratch directory")
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }  // mkdtemp has filled it.
    }

    /// Puts a file system of `size` bytes in the directory's place; false where that is not permitted.
    func mountTmpfs(size: Int) -> Bool {
        isMounted = mount("tmpfs", path, "tmpfs", 0, "size=\(size)") == 0
        return isMounted
    }

    deinit {
        if isMounted { umount(path) }
        Self.remove(path)
    }

    private static func remove(_ path: String) {
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard name != ".", name != ".." else { continue }
                let inner = "\(path)/\(name)"
                if unlink(inner) != 0 { remove(inner) }
            }
            closedir(stream)
        }
        rmdir(path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func read(_ name: String) -> String {
        let descriptor = open(file(name), O_RDONLY)
        guard descriptor >= 0 else { return "<none>" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = Glibc.read(descriptor, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    func lines(_ name: String) -> [String] {
        read(name).split(separator: "\n").map(String.init)
    }

    func write(_ name: String, _ text: String, flags: Int32 = O_TRUNC) {
        let descriptor = open(file(name), O_WRONLY | O_CREAT | flags, 0o600)
        precondition(descriptor >= 0, "cannot write \(name)")
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    func info(_ name: String) -> stat? {
        var info = stat()
        return lstat(file(name), &info) == 0 ? info : nil
    }
}

/// A trail whose time, loop and syncs the test moves by hand.
final class Scene {
    /// What the trail hands to other threads, and what faults the test plants. Shared with `@Sendable` closures.
    final class Machine: Sendable {
        struct State {
            var wall: Int64 = 1_718_533_815_000_000_000  // 2024-06-16T10:30:15Z
            var monotonic: UInt64 = 1_000_000_000
            var onLoop: [@Sendable () -> Void] = []
            var offLoop: [@Sendable () -> Void] = []
            var writes: [Int] = []
            var synced = 0
            /// What write(2) does instead: at most so many bytes, or a negative errno.
            var writeFault: Int?
            var reserveFault: Int32 = 0
            var syncFault: Int32 = 0
            var renameFault: Int32 = 0
            var freeBytes: Int?
            var sizeLimit = Int.max
            /// What the tool-call log has written to stderr, and how many bytes more that takes; nil: all.
            var stderr: [UInt8] = []
            var stderrRoom: Int?
        }
        let state = Mutex(State())

        func change(_ body: (inout State) -> Void) {
            state.withLock { body(&$0) }
        }

        /// stderr with ``State/stderrRoom``: whole lines only.
        func take(_ lines: UnsafeRawBufferPointer) -> Int {
            state.withLock { state in
                var taken = lines.count
                if let room = state.stderrRoom, room < taken {
                    taken = lines.prefix(room).lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
                    state.stderrRoom = room - taken
                }
                state.stderr += lines.prefix(taken)
                return taken
            }
        }
    }

    let machine = Machine()
    let trail: AuditTrail
    private(set) var snapshot: Snapshot
    let session = SessionIdentity(
        sessionID: "0123456789abcdef", transport: "stdio", peer: "stdio", clientName: "claude", clientVersion: "1.2")

    private let change: (inout Settings) -> Void

    /// The journal's writer is never started unless the test does: it sends nothing.
    init(
        _ settings: [FileAuditingSettings], name: String? = "files", redacted: [String] = [],
        journal: JournalWriter = JournalWriter(path: "/nonexistent/journal"), logsToJournal: Bool = false,
        change: @escaping (inout Settings) -> Void = { _ in }
    ) throws {
        self.change = change
        let machine = self.machine
        let calls = FileCalls(
            write: { descriptor, bytes in
                var bytes = bytes
                if let fault = machine.state.withLock({ $0.writeFault }) {
                    if fault < 0 { return fault }
                    bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(fault))
                }
                machine.change { $0.writes.append(bytes.count) }
                return FileCalls.system.write(descriptor, bytes)
            },
            reserve: { descriptor, offset, length in
                let fault = machine.state.withLock { $0.reserveFault }
                return fault != 0 ? fault : FileCalls.system.reserve(descriptor, offset, length)
            },
            freeBytes: { descriptor in machine.state.withLock { $0.freeBytes } ?? FileCalls.system.freeBytes(descriptor)
            },
            sizeLimit: { machine.state.withLock { $0.sizeLimit } },
            synchronize: { _, _ in
                machine.state.withLock {
                    $0.synced += 1
                    return $0.syncFault
                }
            },
            rename: { from, to in
                let fault = machine.state.withLock { $0.renameFault }
                return fault != 0 ? fault : FileCalls.system.rename(from, to)
            },
            link: { from, to in FileCalls.system.link(from, to) })
        trail = AuditTrail(
            run: "00c0ffee", version: "1.0.0", journal: journal,
            toolCallLog: logsToJournal ? .journal : .stderr { lines in machine.take(lines) },
            clock: AuditClock(
                wall: { machine.state.withLock { $0.wall } }, monotonic: { machine.state.withLock { $0.monotonic } }),
            executor: { work in machine.change { $0.onLoop.append(work) } },
            offload: { work in machine.change { $0.offLoop.append(work) } }, calls: calls)
        snapshot = Self.snapshot(1, settings, name: name, redacted: redacted, change: change)
        try trail.install(snapshot)
    }

    static func snapshot(
        _ generation: Int, _ settings: [FileAuditingSettings], name: String? = "files", redacted: [String] = [],
        change: (inout Settings) -> Void = { _ in }
    ) -> Snapshot {
        var all = Settings(
            upstream: UpstreamSettings(name: name, command: ["/bin/true"]), configPath: "/etc/gatekit.yaml")
        all.fileAuditing = settings
        all.redactedNames = redacted
        change(&all)
        return Snapshot(generation: generation, configHash: "abcd1234", settings: all, policies: PolicyChain())
    }

    /// The next generation; `change` replaces the first one's.
    func reload(_ settings: [FileAuditingSettings], change: ((inout Settings) -> Void)? = nil) throws {
        let next = Self.snapshot(snapshot.generation + 1, settings, change: change ?? self.change)
        try trail.install(next)
        snapshot = next
    }

    func event(_ kind: AuditEvent.Kind, session: SessionIdentity? = nil, at snapshot: Snapshot? = nil) -> AuditEvent {
        AuditEvent(
            time: machine.state.withLock { $0.wall }, snapshot: snapshot ?? self.snapshot, session: session, kind: kind)
    }

    func record(_ kind: AuditEvent.Kind, session: SessionIdentity? = nil, at snapshot: Snapshot? = nil) {
        trail.record(event(kind, session: session, at: snapshot))
    }

    /// What a sanitised answer lost.
    static let removed: RemovalCounts = {
        var removed = RemovalCounts()
        removed.invisible = 3
        removed.markup = 2
        removed.codeFences = 1
        return removed
    }()

    static func call(_ id: String, tool: String? = "read_file", params: String? = nil) -> AuditEvent.Call {
        AuditEvent.Call(
            requestID: id, method: "tools/call", tool: tool, params: params.map { ByteBuffer(string: $0) })
    }

    /// How a reload ended: applied, or refused with `problem`.
    static func outcome(refused problem: String? = nil) -> ReloadOutcome {
        ReloadOutcome(
            result: problem == nil ? .applied : .refused, began: 0, time: 0, duration: 7_000_000,
            generation: problem == nil ? 2 : 1, configHash: problem == nil ? "ef567890" : "abcd1234",
            candidateHash: "ef567890", changes: problem == nil ? ["logging.level: INFO -> DEBUG"] : [],
            problems: problem.map { [$0] } ?? [], environmentSource: .none)
    }

    func request(_ id: String, at snapshot: Snapshot? = nil) {
        record(.request(Self.call(id), plugin: "tool_allowlist"), at: snapshot)
    }

    func response(_ id: String, at snapshot: Snapshot? = nil) {
        record(.response(Self.call(id), AuditEvent.Outcome(duration: 5_000_000)), at: snapshot)
    }

    func advance(milliseconds: Int) {
        machine.change {
            $0.wall += Int64(milliseconds) * 1_000_000
            $0.monotonic += UInt64(milliseconds) * 1_000_000
        }
    }

    /// One 100 ms tick of the loop, and the commit behind it.
    @discardableResult
    func tick(milliseconds: Int = 100) -> AuditTrail.Commit {
        advance(milliseconds: milliseconds)
        trail.tick()
        return trail.commit()
    }

    /// Runs what was handed to the sync thread, and what that handed back.
    func runSyncs() {
        let off = machine.state.withLock { state in
            defer { state.offLoop = [] }
            return state.offLoop
        }
        for work in off { work() }
        let on = machine.state.withLock { state in
            defer { state.onLoop = [] }
            return state.onLoop
        }
        for work in on { work() }
    }
}

/// The `seq` values of a file's lines, in order; -1 where there is none.
func sequence(_ lines: [String]) -> [Int] {
    lines.map { line in
        guard let start = line.range(of: #""seq": "#) else { return -1 }
        return Int(line[start.upperBound...].dropLast()) ?? -1
    }
}

extension String {
    /// The range of `text`, without Foundation.
    func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
