import Testing

@testable import HTTPDoor

@Suite("HTTPGuard")
struct HTTPGuardTests {
    private typealias Record = HTTPGuard.Record
    private static let second: UInt64 = 1_000_000_000
    /// A clock that does not begin at zero.
    private static let start: UInt64 = 1000 * second

    private func refuse(
        _ http: inout HTTPGuard, _ peer: String, _ reason: String = "no_token", at second: UInt64
    ) -> [Record] {
        http.refused(peer: peer, reason: reason, detail: "d\(second)", now: Self.start + second * Self.second)
    }

    private func record(_ peer: String, _ count: Int, _ detail: UInt64, _ reason: String = "no_token") -> Record {
        Record(peer: peer, reason: reason, detail: "d\(detail)", count: count)
    }

    @Test("the first is recorded at once, those of the next 10 s by one record with their count")
    func counts() {
        var http = HTTPGuard()
        #expect(refuse(&http, "a", at: 0) == [record("a", 1, 0)])
        for second in 1...9 as ClosedRange<UInt64> { #expect(refuse(&http, "a", at: second) == []) }
        #expect(http.due(now: Self.start + 10 * Self.second - 1) == [])
        #expect(http.due(now: Self.start + 10 * Self.second) == [record("a", 9, 9)])
        #expect(refuse(&http, "a", at: 11) == [])
        #expect(http.due(now: Self.start + 20 * Self.second) == [record("a", 1, 11)])
        #expect(http.due(now: Self.start + 30 * Self.second) == [])
        #expect(http.count == 0)
        #expect(refuse(&http, "a", at: 31) == [record("a", 1, 31)])
    }

    @Test("peers and reasons are told apart")
    func pairs() {
        var http = HTTPGuard()
        #expect(refuse(&http, "a", at: 0).count == 1)
        #expect(refuse(&http, "b", at: 0) == [record("b", 1, 0)])
        #expect(refuse(&http, "a", "foreign_host", at: 1) == [record("a", 1, 1, "foreign_host")])
        #expect(refuse(&http, "a", at: 1) == [])
        #expect(http.due(now: Self.start + 12 * Self.second) == [record("a", 1, 1)])
    }

    @Test("a refusal itself brings out what is due")
    func dueByRefusal() {
        var http = HTTPGuard()
        _ = refuse(&http, "a", at: 0)
        _ = refuse(&http, "a", at: 1)
        #expect(refuse(&http, "b", at: 10) == [record("a", 1, 1), record("b", 1, 10)])
    }

    @Test("the end brings out everything that was counted")
    func end() {
        var http = HTTPGuard()
        for peer in ["a", "b"] { _ = refuse(&http, peer, at: 0) }
        for _ in 0..<3 { _ = refuse(&http, "a", at: 1) }
        #expect(http.end() == [record("a", 3, 1)])
        #expect(http.end() == [] && http.count == 0)
    }

    @Test("however many strangers come, the table and the records of a window are bounded and nothing is uncounted")
    func flood() {
        var http = HTTPGuard()
        var recorded = 0
        var refusals = 0
        var inWindow = 0
        func take(_ records: [Record]) {
            recorded += records.reduce(0) { $0 + $1.count }
            inWindow += records.count
        }
        for second in 0..<400 as Range<UInt64> {
            if second % 10 == 0 { inWindow = 0 }
            for stranger in 0..<100 {
                refusals += 1
                take(refuse(&http, "\(second)-\(stranger)", at: second))
            }
            // Both kinds, and the record that all others share.
            #expect(inWindow <= 2 * HTTPGuard.recordsPerWindow + 1)
            #expect(http.count <= HTTPGuard.capacity)
        }
        take(http.end())
        #expect(recorded == refusals)
    }

    @Test("a full table gives up its oldest pair, and no count is lost")
    func eviction() {
        var http = HTTPGuard()
        var recorded = 0
        var refusals = 0
        var peers: [String] = []
        func refuse(_ peer: String, _ second: UInt64) {
            refusals += 1
            recorded += self.refuse(&http, peer, at: second).reduce(0) { $0 + $1.count }
        }
        // Whoever has come goes on, so that no window ends a pair.
        for window in 0..<17 as Range<UInt64> {
            for number in 0..<HTTPGuard.recordsPerWindow {
                let peer = "\(window)-\(number)"
                refuse(peer, 10 * window)
                peers.append(peer)
            }
            for peer in peers { refuse(peer, 10 * window + 5) }
            #expect(http.count == min(peers.count, HTTPGuard.capacity))
        }
        #expect(peers.count > HTTPGuard.capacity)
        recorded += http.end().reduce(0) { $0 + $1.count }
        #expect(recorded == refusals)
    }
}
