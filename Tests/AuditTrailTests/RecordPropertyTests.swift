import GatewayConfiguration
import GatewayEvents
import Testing

@testable import AuditTrail

@Suite("records of hostile text")
struct RecordPropertyTests {
    @Test("whatever a client puts in, a record is one line that reads back to the same values", arguments: 0..<100)
    func property(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let texts = (0..<8).map { _ in JSONValue.randomText(&dice) }
        let directory = ScratchDirectory()
        let scene = try Scene([FileAuditingSettings(outputFile: directory.file("audit.log"))], name: texts[0])
        let session = SessionIdentity(
            sessionID: "0011223344556677", transport: "unix", peer: texts[1], clientName: texts[2],
            clientVersion: texts[3])
        let call = AuditEvent.Call(requestID: texts[4], method: texts[5], tool: texts[6])
        scene.record(.request(call, plugin: nil), session: session)
        scene.record(
            .response(
                call, AuditEvent.Outcome(duration: 0, failure: AuditEvent.Failure(code: 1, message: texts[7]))),
            session: session)
        #expect(scene.trail.commit() == .done(barrier: 0))
        let lines = directory.read("audit.log").split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 4 && lines[3].isEmpty)
        for line in lines[1...2] {
            let value = try #require(JSONValue.parse(String(line)), "\(line)")
            #expect(value["server_name"]?.string == texts[0])
            #expect(value["peer"]?.string == texts[1])
            #expect(value["client_name"]?.string == texts[2])
            #expect(value["client_version"]?.string == texts[3])
            #expect(value["request_id"]?.string == texts[4])
            #expect(value["method"]?.string == texts[5])
            #expect(value["tool"]?.string == texts[6])
        }
        let message = texts[7].unicodeScalars.split(separator: "\n")[0]
        #expect(JSONValue.parse(String(lines[2]))?["error_message"]?.string == String(message))
    }

    @Test("no record is larger than what the reserve counts on", arguments: ["x", "\u{1}", "ö", "\u{202E}", "\"", "😀"])
    func largest(of piece: String) throws {
        let long = String(repeating: piece, count: 5000)
        var settings = FileAuditingSettings(outputFile: "/x")
        settings.includeRequestBody = true
        settings.includeResponseBody = true
        settings.maxBodySize = 2000
        settings.timestampPrecision = .microseconds
        let encoder = JSONRecordEncoder(settings: settings, run: "00c0ffee")
        let session = SessionIdentity(
            sessionID: long, transport: long, peer: long, clientName: long, clientVersion: long)
        var dice = Dice(seed: 1)
        let body = JSONValue.array([.text(long)]).text(&dice)
        let call = AuditEvent.Call(
            requestID: long, method: long, tool: long, params: Scene.call("", params: body).params)
        let outcome = AuditEvent.Outcome(
            duration: .max, failure: AuditEvent.Failure(code: .min, message: long, reason: long), result: call.params)
        let snapshot = Scene.snapshot(Int.max, [settings], name: long)
        func size(_ kind: AuditEvent.Kind) -> Int {
            let out = LineBuffer()
            let event = AuditEvent(time: .max, snapshot: snapshot, session: session, kind: kind)
            encoder.encode(event, redaction: Redaction(names: SensitiveNames(extra: [])), seq: .max, into: out)
            return out.count
        }
        #expect(size(.request(call, plugin: long)) <= encoder.largestRequest)
        #expect(size(.response(call, outcome)) <= encoder.largestAnswer)
        let out = LineBuffer()
        let gap = SinkNotice.Gap(first: .max, last: .max, count: .max, reason: long)
        encoder.encode(SinkNotice(time: .max, snapshot: snapshot, kind: .gap(gap)), seq: .max, into: out)
        #expect(out.count <= encoder.largestGap)
    }

    @Test("long text is cut with a mark, at most 1,024 bytes as printed", arguments: ["x", "\u{1}", "ö", "😀", "\\"])
    func cut(piece: String) throws {
        let out = LineBuffer()
        JSONText.append(String(repeating: piece, count: 2000), limit: 1024, to: out)
        #expect(out.count <= 1026 && out.count > 1010)
        let text = try #require(JSONValue.parse(String(decoding: out.bytes, as: UTF8.self))?.string)
        #expect(text.hasSuffix("… [cut]"))
        let exact = LineBuffer()
        JSONText.append(String(repeating: "y", count: 1024), limit: 1024, to: exact)
        #expect(exact.count == 1026)
    }
}
