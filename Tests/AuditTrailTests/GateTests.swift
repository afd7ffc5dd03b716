import GatewayConfiguration
import GatewayEvents
import Glibc
import Testing

@testable import AuditTrail

@Suite("a critical sink's gate")
struct GateTests {
    let directory = ScratchDirectory()
    var settings: FileAuditingSettings { FileAuditingSettings(outputFile: directory.file("audit.log")) }

    static let canMount = getuid() == 0 && ScratchDirectory().mountTmpfs(size: 1 << 20)

    func admit(_ scene: Scene, _ id: String) -> Bool {
        guard scene.trail.refusal(for: scene.snapshot, method: "tools/call", tool: "read_file") == nil else {
            return false
        }
        scene.request(id)
        return true
    }

    @Test("on a full disk requests stop, answers do not, and it opens again behind a gap", .enabled(if: canMount))
    func fullDisk() throws {
        #expect(directory.mountTmpfs(size: 4 << 20))
        let scene = try Scene([settings])
        // Another program takes all the rest.
        let hog = open(directory.file("hog"), O_WRONLY | O_CREAT, 0o600)
        defer { close(hog) }
        let block = [UInt8](repeating: 1, count: 4096)
        while Glibc.write(hog, block, block.count) == block.count {}
        var admitted = 0
        while admit(scene, "\(admitted)") {
            #expect(scene.trail.commit() == .done(barrier: 0))
            admitted += 1
        }
        #expect(admitted > 50)
        #expect(scene.trail.status()[0].isOpen == false)
        // More refusals, and events that may not take the reserve.
        #expect(scene.trail.refusal(for: scene.snapshot, method: "initialize", tool: nil) != nil)
        scene.record(.sessionEnd(reason: "gone"))
        #expect(scene.tick() == .done(barrier: 0))
        #expect(!scene.trail.status()[0].isOpen, "nothing was freed")
        for id in 0..<admitted { scene.response("\(id)") }
        #expect(scene.trail.commit() == .done(barrier: 0), "every answer has its place")
        ftruncate(hog, 0)
        #expect(scene.tick() == .done(barrier: 0))
        #expect(scene.trail.status()[0].isOpen)
        #expect(admit(scene, "last"))
        _ = scene.trail.commit()
        let lines = directory.lines("audit.log")
        #expect(lines.count == 1 + 2 * admitted + 2)
        #expect(lines.allSatisfy { JSONValue.parse($0) != nil })
        let gap = try #require(JSONValue.parse(lines[lines.count - 2]))
        #expect(gap["event_type"] == .text("AUDIT_GAP") && gap["count"] == .number("3"))
        // Three numbers are missing, and the gap says three.
        #expect(sequence(lines).last == lines.count + 3)
    }

    @Test("events that are gated by nothing never take a place that is kept for a response")
    func strangersDoNotEatTheReserve() throws {
        let scene = try Scene([settings])
        #expect(admit(scene, "1"))
        scene.machine.change { $0.reserveFault = ENOSPC }
        var count = 0
        while scene.trail.status()[0].gapCount == 0 {
            scene.record(.invalidMessage(direction: .fromClient, reason: "no JSON", offset: 0, length: 1))
            count += 1
            try #require(count < 20_000)
        }
        _ = scene.trail.commit()
        let reserved = AuditFile.step
        let size = try #require(directory.info("audit.log")).st_size
        let answer = JSONRecordEncoder(settings: settings, run: "").largestAnswer
        #expect(Int(size) + answer <= reserved, "the response still has its place")
        #expect(scene.trail.status()[0].isOpen, "a stranger can not close the gate")
        scene.response("1")
        #expect(scene.trail.commit() == .done(barrier: 0))
        scene.machine.change { $0.reserveFault = 0 }
        scene.tick()
        #expect(directory.read("audit.log").range(of: "AUDIT_GAP") != nil)
    }

    @Test("a sink gates only what its mode records, and ping never", arguments: FileAuditingSettings.Mode.allCases)
    func modes(mode: FileAuditingSettings.Mode) throws {
        var settings = settings
        settings.mode = mode
        let scene = try Scene([settings])
        scene.machine.change { $0.writeFault = -Int(EIO) }
        scene.record(.configReload(Scene.outcome(), formerHash: "abcd1234"))
        #expect(scene.trail.commit() == .blocked)
        func passes(_ method: String) -> Bool {
            scene.trail.refusal(for: scene.snapshot, method: method, tool: nil) == nil
        }
        #expect(passes("ping"))
        #expect(passes("tools/call") == (mode == .security))
        #expect(passes("resources/read") == (mode == .security || mode == .tools))
    }

    @Test("a failed write blocks until the very bytes are written, and shows how often requests were refused")
    func writeFails() throws {
        let scene = try Scene([settings])
        _ = scene.trail.commit()
        #expect(admit(scene, "1"))
        scene.machine.change { $0.writeFault = -Int(EIO) }
        #expect(scene.trail.commit() == .blocked)
        #expect(!admit(scene, "2"))
        #expect(!admit(scene, "3"))
        #expect(scene.trail.status()[0].reason == "cannot write: input/output error")
        scene.machine.change { $0.writeFault = 7 }
        #expect(scene.trail.commit() == .blocked)
        scene.response("1")
        #expect(scene.trail.commit() == .blocked)
        scene.machine.change { $0.writeFault = nil }
        #expect(scene.trail.commit() == .done(barrier: 0))
        scene.advance(milliseconds: 1500)
        #expect(!admit(scene, "4"), "only a tick opens the gate")
        scene.trail.tick()
        #expect(admit(scene, "5"))
        #expect(scene.trail.commit() == .done(barrier: 0))
        let lines = directory.lines("audit.log")
        #expect(sequence(lines) == [1, 2, 5, 7, 8])
        #expect(
            lines[3].hasPrefix(
                #"{"timestamp": "2024-06-16T10:30:16Z", "event_type": "AUDIT_GAP", "status": "error", "#
                    + #""reason": "cannot write: input/output error", "first": "2024-06-16T10:30:15Z", "#
                    + #""last": "2024-06-16T10:30:16Z", "count": 3, "#))
    }

    @Test("at the end, what is missing is owned up to before AUDIT_STOP")
    func endsBehindGap() throws {
        let scene = try Scene([settings])
        scene.machine.change { $0.reserveFault = ENOSPC }
        var id = 0
        while admit(scene, "\(id)") {
            id += 1
            try #require(id < 20_000)
        }
        scene.machine.change { $0.reserveFault = 0 }
        scene.trail.close(reason: "shutdown")
        let ends = directory.lines("audit.log").suffix(2)
        #expect(ends.first?.range(of: #""event_type": "AUDIT_GAP""#) != nil)
        #expect(ends.first?.range(of: #""count": 1, "#) != nil)
        #expect(ends.last?.range(of: #""event_type": "AUDIT_STOP""#) != nil)
    }

    @Test("a partial write is continued byte for byte, wherever it stops", arguments: [1, 2, 100, 280, 281, 282, 400])
    func partialWrites(length: Int) throws {
        let scene = try Scene([settings])
        for id in 0..<5 {
            scene.request("\(id)")
            scene.response("\(id)")
        }
        scene.machine.change { $0.writeFault = length }
        var turns = 0
        while scene.trail.commit() == .blocked {
            turns += 1
            try #require(turns < 10_000)
        }
        #expect(turns > 0)
        #expect(sequence(directory.lines("audit.log")) == Array(1...11))
    }

    @Test("a sink that is not critical refuses and blocks nothing, and says what is missing")
    func notCritical() throws {
        var settings = settings
        settings.critical = false
        let scene = try Scene([settings])
        scene.machine.change {
            $0.writeFault = -Int(ENOSPC)
            $0.reserveFault = ENOSPC
        }
        var id = 0
        while scene.trail.status()[0].gapCount < 10 {
            #expect(admit(scene, "\(id)"))
            #expect(scene.trail.commit() == .done(barrier: 0))
            id += 1
            try #require(id < 20_000)
        }
        let status = scene.trail.status()[0]
        #expect(status.isOpen && status.reason == "cannot write: no space left on device")
        scene.machine.change { $0.writeFault = nil }
        #expect(scene.trail.commit() == .done(barrier: 0))
        scene.request("last")
        #expect(scene.trail.commit() == .done(barrier: 0))
        let lines = directory.lines("audit.log")
        #expect(lines[lines.count - 2].range(of: #""count": 10, "#) != nil)
        #expect(sequence(lines).last == lines.count + 10)
        #expect(scene.trail.status()[0].gapCount == 0 && scene.trail.status()[0].missing == 10)
    }

    @Test("the process's own file size limit closes the gate like a full disk")
    func sizeLimit() throws {
        let scene = try Scene([settings])
        scene.machine.change { $0.sizeLimit = 3000 }
        #expect(admit(scene, "1"), "what is reserved stays")
        #expect(scene.trail.commit() == .done(barrier: 0))
        let other = ScratchDirectory()
        #expect(throws: AuditError.self) {
            try scene.reload([settings, FileAuditingSettings(outputFile: other.file("b.log"))])
        }
        #expect(other.info("b.log") == nil, "nothing has changed")
    }

    @Test("without fallocate the free space decides", arguments: [(0, false), (AuditFile.step, true)])
    func noFallocate(free: Int, opens: Bool) throws {
        let first = ScratchDirectory()
        let scene = try Scene([FileAuditingSettings(outputFile: first.file("a.log"))])
        scene.machine.change {
            $0.reserveFault = EOPNOTSUPP
            $0.freeBytes = free
        }
        let next = settings
        if opens {
            try scene.reload([next])
            #expect(admit(scene, "1"))
        } else {
            #expect {
                try scene.reload([next])
            } throws: {
                ($0 as? AuditError)?.code == .noSpace
            }
        }
    }
}
