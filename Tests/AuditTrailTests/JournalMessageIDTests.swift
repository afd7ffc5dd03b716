import Glibc
import Testing

@testable import AuditTrail

@Suite("the journal's message ids")
struct JournalMessageIDTests {
    private static let types = EventTableTests.samples.map { String($0.name.prefix { $0 != "," }) }

    @Test("every event type has an id of its own, 128 bits in lower-case hex")
    func table() {
        let events = JournalMessageID.all.map { "\($0.event)" }
        let ids = JournalMessageID.all.map { "\($0.id)" }
        #expect(Set(events) == Set(Self.types).subtracting(["TOOL_CALL", "TOOL_RESULT"]))
        #expect(Set(ids).count == 16 && ids.count == 16)
        for id in ids {
            #expect(id.utf8.count == 32 && id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
        for (event, id) in JournalMessageID.all {
            #expect(JournalMessageID.id(of: event).map { "\($0)" } == "\(id)")
        }
        #expect(JournalMessageID.id(of: "TOOL_CALL") == nil)
    }

    @Test("the catalog explains the same ids, each with a subject, an author and a text")
    func catalog() throws {
        var path = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        path.removeLast(3)
        let file = try #require(fopen((path + ["etc", "gatekit.catalog"]).joined(separator: "/"), "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        var ids: [String] = []
        var parts: [[Substring]] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("-- ") {
                ids.append(String(line.dropFirst(3)))
                parts.append([])
            } else if !parts.isEmpty {
                parts[parts.count - 1].append(line)
            }
        }
        #expect(ids == JournalMessageID.all.map { "\($0.id)" })
        for part in parts {
            try #require(part.count > 4)
            #expect(part[0].hasPrefix("Subject: ") && part[1] == "Defined-By: gatekit")
            #expect(part[2].hasPrefix("Support: ") && part[3].isEmpty && !part[4].isEmpty)
        }
    }
}
