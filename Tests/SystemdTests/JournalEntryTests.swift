import Glibc
import Testing

@testable import Systemd

@Suite("An entry of the journal")
struct JournalEntryTests {
    @Test(
        "takes the names that journald takes and no other",
        arguments: [
            ("MESSAGE", true), ("MCP_PEER_UID", true), ("A9_", true), ("A", true), ("_PID", false), ("9A", false),
            ("", false), ("message", false), ("A-B", false), ("A=B", false), ("A\nB", false), ("Ä", false),
            ("A234567890123456789012345678901234567890123456789012345678901234", true),
            ("A2345678901234567890123456789012345678901234567890123456789012345", false),
        ] as [(StaticString, Bool)])
    func names(name: StaticString, isTaken: Bool) {
        #expect(JournalEntry.isFieldName(name) == isTaken)
    }

    @Test("prints a value after '=', and one that holds a newline with its length")
    func forms() {
        var entry = JournalEntry()
        entry.append("A", "x=y")
        entry.append("B", number: -7)
        entry.append("C", "1\n2" as String)
        entry.append("D", "" as String)
        #expect(entry.bytes == Array("A=x=y\nB=-7\nC\n".utf8) + [3, 0, 0, 0, 0, 0, 0, 0] + Array("1\n2\nD=\n".utf8))
        var other = JournalEntry()
        other.append("E", "e")
        entry.removeAll()
        entry.append(contentsOf: other)
        #expect(entry == other)
    }
}

@Suite("Whether stderr is the journal")
struct JournalStreamTests {
    @Test("only the descriptor's own device and inode say so")
    func stream() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var info = stat()
        try #require(fstat(ends[1], &info) == 0)
        let own = "\(info.st_dev):\(info.st_ino)"
        #expect(JournalStream.isJournal(ends[1], ["JOURNAL_STREAM": own]))
        #expect(!JournalStream.isJournal(STDIN_FILENO, ["JOURNAL_STREAM": own]))
        #expect(!JournalStream.isJournal(-1, ["JOURNAL_STREAM": own]))
        #expect(!JournalStream.isJournal(ends[1], [:]))
        for wrong in ["", ":", "\(info.st_dev)", "\(own):", ":\(own)", "\(info.st_dev):\(info.st_ino + 1)", "x:y"] {
            #expect(!JournalStream.isJournal(ends[1], ["JOURNAL_STREAM": wrong]), "\(wrong)")
        }
    }
}
