import Testing

@testable import Gateway

@Suite("Refusals before a session")
struct RefusalTableTests {
    /// Holds a table that changes with what it is asked.
    private final class Scene {
        private var table = RefusalTable()

        func add(_ peer: String, _ reason: String, at second: UInt64) -> RefusalTable.Report? {
            table.add(peer, reason, now: second * 1_000_000_000)
        }

        func due(at second: UInt64) -> [RefusalTable.Report] { table.due(at: second * 1_000_000_000) }
    }

    @Test("the first is told at once, the rest in ten seconds with a count")
    func counts() {
        let scene = Scene()
        #expect(scene.add("a", "r", at: 0) == RefusalTable.Report(peer: "a", reason: "r", count: 1))
        for _ in 0..<5 { #expect(scene.add("a", "r", at: 1) == nil) }
        #expect(scene.add("a", "s", at: 1)?.reason == "s")
        #expect(scene.add("b", "r", at: 1)?.peer == "b")
        #expect(scene.due(at: 9).isEmpty)
        #expect(scene.due(at: 10) == [RefusalTable.Report(peer: "a", reason: "r", count: 5)])
        #expect(scene.due(at: 20).isEmpty)
        #expect(scene.add("a", "r", at: 21)?.count == 1)
    }

    @Test("thousands of peers share one row")
    func bounded() {
        let scene = Scene()
        let reports = (0..<5000).compactMap { scene.add("peer \($0)", "r", at: 0) }
        #expect(reports.count == RefusalTable.capacity + 1)
        #expect(reports.last?.peer == "others")
        #expect(scene.due(at: 10).map(\.count) == [5000 - reports.count])
    }
}
