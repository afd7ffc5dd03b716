import AuditTrail
import GatewayConfiguration

/// What the records of calls cost one file sink.
struct FileCost {
    private let calls: Calls
    private let printer: RecordPrinter
    /// Bytes of one call's records.
    private(set) var bytesPerCall = 0

    init(_ format: FileAuditingSettings.Format) {
        var sink = FileAuditingSettings(outputFile: "/var/log/gatekit/audit.log")
        sink.format = format
        calls = Calls(files: [sink])
        printer = RecordPrinter(settings: sink, run: "00c0ffee")
        bytesPerCall = pass() / Calls.distinct
    }

    /// Prints every call once and returns the bytes; flushes after 64 records, as under load.
    private func pass() -> Int {
        var bytes = 0
        for (index, event) in calls.events.enumerated() {
            printer.print(event)
            if index & 63 == 63 { bytes += printer.flush() }
        }
        return bytes + printer.flush()
    }

    /// CPU nanoseconds of one record, on the average of `passes` times all calls.
    func measure(passes: Int) -> Double {
        let start = ThreadTime.now()
        var bytes = 0
        for _ in 0..<passes { bytes += pass() }
        let time = ThreadTime.now() - start
        precondition(bytes > passes, "nothing was printed")
        return Double(time) / Double(passes * calls.events.count)
    }
}
