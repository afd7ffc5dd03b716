import GatewayConfiguration
import Glibc

/// What each audit format costs: the REQUEST and the RESPONSE of a tools/call, from the event to the bytes,
/// and what the two cost the loop where they go to the journal.
///
/// Pin it: `taskset -c 1 .build/release/AuditBench [--json] [FORMAT …]`; json, which the others are compared
/// with, and the journal are always measured. The formats take turns, and every figure is the median of the rounds.
func run(_ formats: [FileAuditingSettings.Format], rounds: Int, passes: Int) -> [Row] {
    let calls = formats.map { FileCost($0) }
    var samples = [[Double]](repeating: [], count: formats.count)
    for _ in 0..<rounds {
        for (index, calls) in calls.enumerated() { samples[index].append(calls.measure(passes: passes)) }
    }
    return formats.indices.map { index in
        Row(
            format: formats[index], bytesPerCall: calls[index].bytesPerCall,
            nanosecondsPerRecord: samples[index].sorted()[rounds / 2])
    }
}

/// What the journal costs, by the same clock.
func runJournal(rounds: Int) -> JournalRow {
    let drain = Drain()
    defer { drain.remove() }
    let cost = JournalCost(drain)
    defer { cost.close() }
    var bursts: [Double] = []
    var single: [Double] = []
    for _ in 0..<rounds {
        bursts.append(cost.measureBursts())
        single.append(cost.measureSingle())
    }
    return JournalRow(
        bytesPerCall: cost.bytesPerCall, burst: bursts.sorted()[rounds / 2], single: single.sorted()[rounds / 2])
}

func main() {
    var chosen: Set<FileAuditingSettings.Format> = []
    var asJSON = false
    for argument in CommandLine.arguments.dropFirst() {
        if argument == "--json" {
            asJSON = true
        } else if let format = FileAuditingSettings.Format(rawValue: argument) {
            chosen.insert(format)
        } else {
            let valid = FileAuditingSettings.Format.allCases.map(\.rawValue).joined(separator: ", ")
            let text = Array("AuditBench: unknown argument '\(argument)' (valid: --json, \(valid))\n".utf8)
            // Nobody can be told that telling failed.
            _ = write(STDERR_FILENO, text, text.count)
            exit(2)
        }
    }
    let formats = FileAuditingSettings.Format.allCases.filter { chosen.isEmpty || $0 == .json || chosen.contains($0) }
    let rows = run(formats, rounds: 15, passes: 50)
    let journal = runJournal(rounds: 15)
    print(asJSON ? Report.json(rows, journal) : Report.table(rows, journal))
}

main()
