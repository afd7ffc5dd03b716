import AuditTrail
import GatewayConfiguration
import Glibc
import Systemd

/// What the entries of calls cost the loop: built, and queued to a writer whose thread sends them to a socket that
/// another thread empties. A burst wakes the writer's thread once at most; calls that come one by one may wake it
/// each.
struct JournalCost {
    private let calls: Calls
    private let writer: JournalWriter
    private let probe: JournalProbe
    /// Bytes of one call's entries.
    let bytesPerCall: Int

    /// Calls of one loop turn under load.
    static let burst = 64
    /// Between calls that come one by one, in nanoseconds of this thread.
    private static let pause: UInt64 = 100_000

    init(_ drain: Drain) {
        let settings = JournalAuditingSettings()
        calls = Calls(files: [], journal: settings)
        writer = JournalWriter(path: drain.path)
        probe = JournalProbe(settings: settings, snapshot: calls.snapshot, run: "00c0ffee", writer: writer)
        for event in calls.events { probe.record(event) }
        bytesPerCall = Int(probe.bytes) / Calls.distinct
    }

    /// CPU nanoseconds of one call of a burst, on the average of all calls.
    func measureBursts() -> Double { measure(at: Self.burst, behind: rest) }

    /// CPU nanoseconds of one of the calls that come one by one.
    func measureSingle() -> Double {
        rest()
        return measure(at: 1) {
            let start = ThreadTime.now()
            // Not asleep: what a sleeping thread finds in the caches is another's.
            while ThreadTime.now() - start < Self.pause {}
        }
    }

    private func measure(at burst: Int, behind pause: () -> Void) -> Double {
        var time: UInt64 = 0
        for first in stride(from: 0, to: Calls.distinct, by: burst) {
            pause()
            let start = ThreadTime.now()
            for event in calls.events[2 * first..<2 * (first + burst)] { probe.record(event) }
            time += ThreadTime.now() - start
        }
        precondition(probe.missing == 0, "the journal's queue was full")
        return Double(time) / Double(Calls.distinct)
    }

    /// Until nothing waits and the writer's thread sleeps.
    private func rest() {
        repeat { _ = poll(nil, 0, 1) } while writer.status.queuedEntries > 0
    }

    func close() {
        writer.close(drainingFor: 1)
    }
}
