import GatewayConfiguration

/// What one format costs, the median of the rounds.
struct Row {
    let format: FileAuditingSettings.Format
    let bytesPerCall: Int
    /// CPU time.
    let nanosecondsPerRecord: Double

    var recordsPerSecond: Double { 1e9 / nanosecondsPerRecord }

    /// A call is two records.
    func microsecondsPerCall(beyond json: Row) -> Double {
        2 * (nanosecondsPerRecord - json.nanosecondsPerRecord) / 1000
    }
}

/// What the journal costs, the median of the rounds.
struct JournalRow {
    let bytesPerCall: Int
    /// CPU time of the loop for a call's two entries, in bursts and one by one.
    let burst: Double
    let single: Double

    /// What the journal may cost the message path.
    var goals: [Goal] {
        [("µs/call of journal", burst / 1000), ("µs/call of journal, one by one", single / 1000)].map { name, cost in
            Goal(name: name, value: cost, wanted: "≤ 5", isMet: cost <= 5)
        }
    }
}

/// Something that has been promised.
struct Goal {
    let name: String
    let value: Double
    let wanted: String
    let isMet: Bool

    /// A million records a second for the plain formats, and no format that costs a call 1 µs more than json.
    static func all(_ rows: [Row]) -> [Goal] {
        guard let json = rows.first(where: { $0.format == .json }) else { return [] }
        let plain: [FileAuditingSettings.Format] = [.csv, .line, .debug]
        let rates = rows.filter { plain.contains($0.format) }.map { row in
            let millions = row.recordsPerSecond / 1e6
            return Goal(
                name: "million \(row.format.rawValue) records/s", value: millions, wanted: "≥ 1", isMet: millions >= 1)
        }
        let costs = rows.filter { $0.format != .json }.map { row in
            let cost = row.microsecondsPerCall(beyond: json)
            return Goal(
                name: "µs/call of \(row.format.rawValue) beyond json", value: cost, wanted: "≤ 1", isMet: cost <= 1)
        }
        return rates + costs
    }
}

/// Markdown tables, or JSON for `scripts/bench`.
enum Report {
    static func table(_ rows: [Row], _ journal: JournalRow) -> String {
        guard let json = rows.first(where: { $0.format == .json }) else { return "" }
        var lines = [
            "| format | ns/record | records/s per core | µs/call beyond json | bytes/call |", "|---|---|---|---|---|",
        ]
        for row in rows {
            let cost = fixed(row.microsecondsPerCall(beyond: json), 2)
            lines.append(
                "| \(row.format.rawValue) | \(fixed(row.nanosecondsPerRecord, 0)) | \(Int(row.recordsPerSecond)) "
                    + "| \(cost) | \(row.bytesPerCall) |")
        }
        lines += [
            "", "| journal | µs/call | bytes/call |", "|---|---|---|",
            "| 64 calls at once | \(fixed(journal.burst / 1000, 2)) | \(journal.bytesPerCall) |",
            "| one by one | \(fixed(journal.single / 1000, 2)) | \(journal.bytesPerCall) |",
        ]
        lines += ["", "| goal | measured | wanted | met |", "|---|---|---|---|"]
        for goal in Goal.all(rows) + journal.goals {
            lines.append("| \(goal.name) | \(fixed(goal.value, 2)) | \(goal.wanted) | \(goal.isMet ? "yes" : "NO") |")
        }
        return lines.joined(separator: "\n")
    }

    static func json(_ rows: [Row], _ journal: JournalRow) -> String {
        let formats = rows.map { row in
            #"{"format": "\#(row.format.rawValue)", "ns_per_record": \#(fixed(row.nanosecondsPerRecord, 1)), "#
                + #""records_per_s": \#(Int(row.recordsPerSecond)), "bytes_per_call": \#(row.bytesPerCall)}"#
        }
        let goals = (Goal.all(rows) + journal.goals).map { goal in
            #"{"name": "\#(goal.name)", "value": \#(fixed(goal.value, 3)), "goal": "\#(goal.wanted)", "#
                + #""met": \#(goal.isMet)}"#
        }
        let ofJournal =
            #"{"ns_per_call": \#(fixed(journal.burst, 1)), "ns_per_single_call": \#(fixed(journal.single, 1)), "#
            + #""bytes_per_call": \#(journal.bytesPerCall)}"#
        return
            #"{"formats": [\#(formats.joined(separator: ", "))], "journal": \#(ofJournal), "goals": [\#(goals.joined(separator: ", "))]}"#
    }

    private static func fixed(_ number: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = Int((abs(number) * scale).rounded())
        let sign = number < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return sign + String(scaled) }
        let fraction = String(scaled % Int(scale))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(sign)\(scaled / Int(scale)).\(zeros)\(fraction)"
    }
}
