import GatewayConfiguration
import GatewayEvents
import Glibc
import Testing

@testable import AuditTrail

@Suite("sinks over reloads")
struct GenerationTests {
    let directory = ScratchDirectory()

    func settings(_ name: String) -> FileAuditingSettings {
        FileAuditingSettings(outputFile: directory.file(name))
    }

    @Test("a call's records go to the sinks of its snapshot; a sink ends with its last generation")
    func routes() throws {
        let scene = try Scene([settings("a.log"), settings("b.log")])
        let former = scene.snapshot
        scene.request("1")
        try scene.reload([settings("b.log"), settings("c.log")])
        scene.request("2")
        scene.response("1", at: former)
        _ = scene.trail.commit()
        #expect(directory.read("a.log").range(of: "AUDIT_STOP") == nil)
        #expect(scene.trail.status().map(\.name) == ["a.log", "b.log", "c.log"].map { directory.file($0) })
        scene.trail.retire(generation: 1)
        scene.response("2")
        _ = scene.trail.commit()
        func types(_ name: String) -> [String] {
            directory.lines(name).compactMap { JSONValue.parse($0)?["event_type"]?.string }
        }
        #expect(types("a.log") == ["AUDIT_START", "REQUEST", "RESPONSE", "AUDIT_STOP"])
        #expect(types("b.log") == ["AUDIT_START", "REQUEST", "REQUEST", "RESPONSE", "RESPONSE"])
        #expect(types("c.log") == ["AUDIT_START", "REQUEST", "RESPONSE"])
        let labels = directory.lines("b.log").compactMap { JSONValue.parse($0)?["config"]?.string }
        #expect(labels == ["1:abcd1234", "1:abcd1234", "2:abcd1234", "1:abcd1234", "2:abcd1234"])
        #expect(scene.trail.status().count == 2)
    }

    @Test("the current generation is not retired, and installing it again changes nothing")
    func current() throws {
        let scene = try Scene([settings("a.log")])
        scene.trail.retire(generation: 1)
        try scene.trail.install(scene.snapshot)
        scene.request("1")
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("a.log")) == [1, 2])
    }

    @Test("seq goes on when a sink that was closed is opened again")
    func openedAgain() throws {
        let scene = try Scene([settings("a.log")])
        try scene.reload([])
        scene.trail.retire(generation: 1)
        try scene.reload([settings("a.log")])
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("a.log")) == [1, 2, 3])
    }

    @Test("when one sink can not be opened, nothing has changed")
    func allOrNothing() throws {
        let scene = try Scene([settings("a.log")])
        _ = scene.trail.commit()
        var changed = settings("a.log")
        changed.fileMode = 0o640
        #expect(throws: AuditError.self) {
            try scene.reload([changed, settings("new.log"), settings("a.log/impossible")])
        }
        #expect(directory.info("new.log") == nil)
        #expect(directory.info("a.log")?.st_mode == 0o100600)
        #expect(scene.trail.status().count == 1)
        scene.request("1")
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("a.log")) == [1, 2])
    }

    @Test("a new mode begins a new file, and the old one is whole")
    func modeChange() throws {
        let scene = try Scene([settings("a.log")])
        scene.request("1")
        var changed = settings("a.log")
        changed.mode = .security
        try scene.reload([changed])
        scene.record(.sessionEnd(reason: "gone"))
        scene.request("2")
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("a.log.1")) == [1, 2])
        #expect(sequence(directory.lines("a.log")) == [3])
    }

    @Test("a reload is recorded in the sinks that it opens, keeps and turns off, once in each")
    func recordedReload() throws {
        let scene = try Scene([settings("off.log"), settings("kept.log")])
        let former = scene.snapshot
        try scene.reload([settings("kept.log"), settings("new.log")])
        let event = scene.event(.configReload(Scene.outcome(), formerHash: "abcd1234"))
        scene.trail.recordReload(event, former: former)
        scene.trail.retire(generation: former.generation)
        let refused = scene.event(.configReload(Scene.outcome(refused: "no"), formerHash: "ef567890"))
        scene.trail.recordReload(refused, former: scene.snapshot)
        _ = scene.trail.commit()
        func outcomes(_ name: String) -> [String] {
            directory.lines(name).compactMap { line in
                guard line.range(of: "CONFIG_RELOAD") != nil else { return nil }
                return line.range(of: #""outcome": "applied""#) != nil ? "applied" : "refused"
            }
        }
        #expect(outcomes("off.log") == ["applied"])
        #expect(directory.lines("off.log").last?.range(of: "AUDIT_STOP") != nil)
        #expect(outcomes("kept.log") == ["applied", "refused"])
        #expect(outcomes("new.log") == ["applied", "refused"])
    }

    @Test("sinks record what their mode says", arguments: FileAuditingSettings.Mode.allCases)
    func modes(mode: FileAuditingSettings.Mode) throws {
        let plain = AuditEvent.Call(requestID: "1", method: "initialize", tool: nil)
        let tool = Scene.call("2")
        let good = AuditEvent.Outcome(duration: 0)
        let bad = AuditEvent.Outcome(duration: 0, failure: AuditEvent.Failure(code: 1, message: "m"))
        let block = AuditEvent.Block(plugin: "p", reason: "r", summary: "s", metadata: [])
        let kinds: [(AuditEvent.Kind, String)] = [
            (.request(plain, plugin: nil), "all operations"), (.request(tool, plugin: nil), "all operations tools"),
            (.response(plain, good), "all operations"), (.response(tool, good), "all operations tools"),
            (.response(plain, bad), "all operations security"),
            (.response(tool, bad), "all operations security tools"),
            (.securityBlock(plain, block), "all security"), (.securityBlock(tool, block), "all security tools"),
            (.toolsFiltered(plain, plugin: "p", count: 1), "all security"),
            (.notification(method: "m", tool: nil, direction: .fromClient, note: nil), "all"),
            (.serverRequest(plain), "all operations"), (.serverResponse(plain, good), "all operations"),
            (.serverResponse(plain, bad), "all operations security"),
            (.invalidMessage(direction: .fromClient, reason: "r", offset: 0, length: 0), "all security"),
            (.sessionStart(note: nil), "all security"), (.sessionEnd(reason: "r"), "all security"),
            (.upstreamStart(pid: 1, program: "p", restart: 0), "all security"),
            (.upstreamExit(pid: 1, program: "p", restart: 0, status: "exit 0"), "all security"),
            (.configReload(Scene.outcome(), formerHash: "abcd1234"), "all security"),
        ]
        for (kind, modes) in kinds {
            #expect((mode.role(of: kind) != nil) == modes.split(separator: " ").contains { $0 == mode.rawValue })
        }
    }
}
