import Testing

@testable import Telemetry

@Suite("The table of tools")
struct ToolTableTests {
    private static func count(_ table: ToolTable, _ name: String, _ outcome: CallOutcome) -> UInt64? {
        table.tools.first { $0.labels == MetricLabels("gen_ai_tool_name", name) }?.outcomes[outcome.rawValue]
    }

    @Test("counts by tool and outcome, and how long answered calls took")
    func counts() {
        var table = ToolTable()
        table.record("a", .success, nanoseconds: 5)
        table.record("a", .success, nanoseconds: 6)
        table.record("a", .timeout, nanoseconds: 7)
        table.block("a")
        table.record("b", .toolError, nanoseconds: 1)
        #expect(Self.count(table, "a", .success) == 2)
        #expect(Self.count(table, "a", .timeout) == 1)
        #expect(Self.count(table, "a", .blocked) == 1)
        #expect(Self.count(table, "b", .toolError) == 1)
        #expect(table.tools[1].nanoseconds == 18 && table.tools[1].answered == 3)
    }

    @Test("has a thousand lines at most; what is beyond counts as _other")
    func cap() {
        var table = ToolTable()
        for index in 0..<5000 { table.record("tool_\(index)", .success, nanoseconds: 1) }
        #expect(table.tools.count == 1001)
        #expect(Self.count(table, ToolTable.others, .success) == 4000)
        table.record("tool_999", .success, nanoseconds: 1)
        #expect(Self.count(table, "tool_999", .success) == 2)
    }

    @Test("names that never had a success cannot use up the lines of the tools that exist")
    func invented() {
        var table = ToolTable()
        for index in 0..<2000 {
            table.block("blocked_\(index)")
            table.record("unknown_\(index)", .toolError, nanoseconds: 1)
        }
        #expect(table.tools.count == 1 + ToolTable.mostUnproven)
        for index in 0..<900 { table.record("tool_\(index)", .success, nanoseconds: 1) }
        #expect(Self.count(table, "tool_899", .success) == 1)
        #expect(table.tools.count == 1001)
    }

    @Test("a first success makes room for the next name")
    func proven() {
        var table = ToolTable()
        for index in 0..<100 { table.record("t\(index)", .timeout, nanoseconds: 1) }
        table.record("late", .timeout, nanoseconds: 1)
        #expect(Self.count(table, "late", .timeout) == nil)
        table.record("t0", .success, nanoseconds: 1)
        table.record("late", .timeout, nanoseconds: 1)
        #expect(Self.count(table, "late", .timeout) == 1)
    }

    @Test(
        "names that MCP does not advise have no line of their own",
        arguments: ["", "a b", "a\nb", "\u{1B}[31m", "Ä", "_other", String(repeating: "a", count: 129)])
    func unusual(_ name: String) {
        var table = ToolTable()
        table.record(name, .success, nanoseconds: 1)
        #expect(table.tools.count == 1 && table.tools[0].outcomes[CallOutcome.success.rawValue] == 1)
    }

    @Test("the longest name and every sign have a line")
    func usual() {
        var table = ToolTable()
        for name in [String(repeating: "a", count: 128), #"a"\b"#] { table.record(name, .success, nanoseconds: 1) }
        #expect(table.tools.count == 3)
    }
}
