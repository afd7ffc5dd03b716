import GatewayConfiguration
import GatewayEvents
import Glibc
import Testing

@testable import AuditTrail

/// What holds of files in formats with a header, and of files whose format changes.
@Suite("one file, one format")
struct CSVFileTests {
    static let header = "timestamp,event_type,method,tool,status,request_id,plugin,reason,duration_ms,server_name"
    let directory = ScratchDirectory()

    private func settings(
        _ format: FileAuditingSettings.Format = .csv, change: (inout FileAuditingSettings) -> Void = { _ in }
    ) -> FileAuditingSettings {
        var settings = FileAuditingSettings(outputFile: directory.file("audit.csv"))
        settings.format = format
        change(&settings)
        return settings
    }

    /// The second column of every line.
    private func types(_ name: String) -> [String] {
        directory.lines(name).map { $0.split(separator: ",", omittingEmptySubsequences: false).dropFirst().first ?? "" }
            .map(String.init)
    }

    @Test("a new or empty file gets the header, one with records gets none", arguments: ["new", "empty", "used"])
    func header(_ before: String) throws {
        if before == "empty" { directory.write("audit.csv", "") }
        if before == "used" { directory.write("audit.csv", Self.header + "\nx,OLD\n") }
        let scene = try Scene([settings()])
        scene.request("1")
        _ = scene.trail.commit()
        scene.request("2")
        _ = scene.trail.commit()
        let old = before == "used" ? ["OLD"] : []
        #expect(types("audit.csv") == ["event_type"] + old + ["AUDIT_START", "REQUEST", "REQUEST"])
        #expect(directory.lines("audit.csv")[0] == Self.header)
        #expect(directory.info("audit.csv.1") == nil)
    }

    @Test("a file that was emptied, moved or removed gets a header again", arguments: ["empty", "move", "remove"])
    func emptied(how: String) throws {
        let scene = try Scene([settings()])
        _ = scene.trail.commit()
        switch how {
        case "empty": directory.write("audit.csv", "")
        case "move": rename(directory.file("audit.csv"), directory.file("old.csv"))
        default: unlink(directory.file("audit.csv"))
        }
        if how != "empty" { scene.tick(milliseconds: 1000) }
        scene.request("1")
        #expect(scene.trail.commit() == .done(barrier: 0))
        #expect(types("audit.csv") == ["event_type", "REQUEST"])
    }

    @Test("every file of two gateways that share and rotate has the header once, and no record is lost")
    func shared() throws {
        let settings = settings {
            $0.maxFileBytes = 1500
            $0.backupCount = 200
        }
        let scenes = [try Scene([settings]), try Scene([settings])]
        var dice = Dice(seed: 3)
        for id in 0..<300 {
            let scene = scenes[Int.random(in: 0...1, using: &dice)]
            scene.request("\(id)")
            if Bool.random(using: &dice) { #expect(scene.trail.commit() == .done(barrier: 0)) }
            if id % 10 == 0 { for scene in scenes { scene.tick(milliseconds: 500) } }
        }
        for scene in scenes { #expect(scene.trail.commit() == .done(barrier: 0)) }
        var ids: [String] = []
        for index in 0...200 where directory.info(index == 0 ? "audit.csv" : "audit.csv.\(index)") != nil {
            let lines = directory.lines(index == 0 ? "audit.csv" : "audit.csv.\(index)")
            // The newest one may wait for its first record.
            #expect(lines.first == Self.header || index == 0 && lines.isEmpty)
            for line in lines.dropFirst() {
                let cells = try #require(FormatReader.cells(line))
                #expect(cells.count == 10 && cells[1] != "event_type", "\(line)")
                if cells[1] == "REQUEST" { ids.append(cells[5]) }
            }
        }
        #expect(ids.sorted() == (0..<300).map { "\($0)" }.sorted())
        #expect(directory.info("audit.csv.3") != nil, "there was rotation")
    }

    @Test("a full disk that takes no header closes the gate, and nothing but the header begins the file afterwards")
    func noRoom() throws {
        let scene = try Scene([settings()])
        scene.machine.change { $0.writeFault = 10 }
        #expect(scene.trail.commit() == .blocked)
        #expect(scene.trail.refusal(for: scene.snapshot, method: "tools/call", tool: nil) != nil)
        #expect(directory.read("audit.csv").isEmpty)
        scene.machine.change { $0.writeFault = nil }
        #expect(scene.tick() == .done(barrier: 0))
        #expect(scene.trail.refusal(for: scene.snapshot, method: "tools/call", tool: nil) == nil)
        #expect(directory.lines("audit.csv").first == Self.header)
        #expect(types("audit.csv") == ["event_type", "AUDIT_START", "AUDIT_GAP"])
    }

    @Test("a header or a record that does not fill its file is not rotated away")
    func largeRecords() throws {
        let scene = try Scene([settings { $0.maxFileBytes = 120 }])
        scene.request("1")
        _ = scene.trail.commit()
        #expect(types("audit.csv") == ["event_type", "REQUEST"])
        #expect(types("audit.csv.1") == ["event_type", "AUDIT_START"])
        #expect(directory.info("audit.csv.2") == nil)
    }

    @Test(
        "a file that begins in another format is moved away", arguments: FileAuditingSettings.Format.allCases,
        FileAuditingSettings.Format.allCases)
    func otherFormat(former: FileAuditingSettings.Format, next: FileAuditingSettings.Format) throws {
        let first = try Scene([settings(former)])
        first.trail.close(reason: "shutdown")
        let before = directory.read("audit.csv")
        let second = try Scene([settings(next)])
        _ = second.trail.commit()
        if former == next {
            #expect(directory.info("audit.csv.1") == nil)
            #expect(directory.read("audit.csv").hasPrefix(before))
        } else {
            #expect(directory.read("audit.csv.1") == before)
        }
    }

    @Test("another csv header, and the tool log's prefix, are other formats too")
    func otherHeader() throws {
        for (index, change) in [
            { $0.csv.delimiter = .semicolon }, { $0.csv.quoteStyle = .all }, { $0.csv.extendedColumns = true },
            { $0.format = .tool },
            {
                $0.format = .tool; $0.timestampPrefix = true
            },
        ].enumerated() as EnumeratedSequence<[(inout FileAuditingSettings) -> Void]> {
            let scene = try Scene([settings(change: change)])
            scene.trail.close(reason: "shutdown")
            #expect(directory.info("audit.csv.\(index)") != nil || index == 0)
            #expect(directory.info("audit.csv.\(index + 1)") == nil)
        }
    }

    @Test("a reload that changes how records are printed begins a new file, and seq goes on")
    func reload() throws {
        let extended = settings { $0.csv.extendedColumns = true }
        let scene = try Scene([extended])
        scene.request("1")
        _ = scene.trail.commit()
        try scene.reload([
            settings {
                $0.csv.extendedColumns = true; $0.csv.nullValue = "-"
            }
        ])
        scene.request("2")
        _ = scene.trail.commit()
        #expect(types("audit.csv.1") == ["event_type", "AUDIT_START", "REQUEST"])
        let row = try #require(FormatReader.cells(directory.lines("audit.csv").last ?? ""))
        #expect(row[1] == "REQUEST" && row[8] == "-" && row[16] == "3")
        try scene.reload([
            settings {
                $0.csv.extendedColumns = true; $0.csv.nullValue = "-"
            }
        ])
        #expect(directory.info("audit.csv.2") == nil)
    }
}
