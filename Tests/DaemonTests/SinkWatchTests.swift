import AuditTrail
import Testing

@testable import Daemon

@Suite("The watch over audit sinks")
struct SinkWatchTests {
    private static func sink(isOpen: Bool = true, reason: String? = nil, lastError: String? = nil) -> SinkStatus {
        SinkStatus(
            name: "/a.log", kind: .file, records: 0, bytes: 0, queuedBytes: 0, isOpen: isOpen, reason: reason,
            gapCount: 0, gaps: 0, missing: 0, lastError: lastError)
    }

    @Test("tells each change once, and nothing of a sink that is well")
    func changes() {
        var watch = SinkWatch()
        #expect(watch.news(of: [Self.sink()]).isEmpty)
        let closed = watch.news(of: [Self.sink(isOpen: false, reason: "no space left on device")])
        #expect(
            closed == [
                SinkWatch.News(
                    isTrouble: true,
                    text: "/a.log cannot take records, requests get -32005: no space left on device")
            ])
        #expect(watch.news(of: [Self.sink(isOpen: false, reason: "no space left on device")]).isEmpty)
        #expect(watch.news(of: [Self.sink()]) == [SinkWatch.News(isTrouble: false, text: "/a.log takes records again")])
        let rotation = watch.news(of: [Self.sink(lastError: "cannot rename /a.log.4: is a directory")])
        #expect(rotation.map(\.isTrouble) == [true])
        #expect(watch.news(of: [Self.sink(lastError: "cannot rename /a.log.4: is a directory")]).isEmpty)
    }

    @Test("tells of a sink that is closed from the beginning")
    func closedAtOnce() {
        var watch = SinkWatch()
        #expect(watch.news(of: [Self.sink(isOpen: false, reason: "full")]).count == 1)
    }
}
