import Testing

@testable import Gateway

@Suite("Refusals before a session")
struct RefusalTableTests {
    private let second: UInt64 = 1_000_000_000

    @Test("the first is told at once, the rest in ten seconds with a count")
    func counts() {
        var table = RefusalTable()
        #expect(table.add("a", "r", now: 0) == RefusalTable.Report(peer: "a", reason: "r", count: 1))
        for _ in 0..<5 { #expect(table.add("a", "r", now: second) == nil) }
        #expect(table.add("a", "s", now: second)?.reason == "s")
        #expect(table.add("b", "r", now: second)?.peer == "b")
        #expect(table.due(at: 9 * second).isEmpty)
        #expect(table.due(at: 10 * second) == [RefusalTable.Report(peer: "a", reason: "r", count: 5)])
        #expect(table.due(at: 20 * second).isEmpty)
        #expect(table.add("a", "r", now: 21 * second)?.count == 1)
    }

    @Test("thousands of peers share one row")
    func bounded() {
        var table = RefusalTable()
        let reports = (0..<5000).compactMap { table.add("peer \($0)", "r", now: 0) }
        #expect(reports.count == RefusalTable.capacity + 1)
        #expect(reports.last?.peer == "others")
        #expect(table.due(at: 10 * second).map(\.count) == [5000 - reports.count])
    }
}
