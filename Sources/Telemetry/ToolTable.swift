/// Calls by tool and outcome. Its size is bounded, whatever clients and upstreams call a tool.
///
/// A tool gets a line of its own when it has a name that MCP advises and there is room. Names that never had a success
/// get at most ``mostUnproven`` of the places: anyone may call what does not exist, and must not use up the places of
/// the tools that do. All others count as ``others``.
struct ToolTable {
    struct Tool {
        let labels: MetricLabels
        fileprivate(set) var hasSucceeded = false
        /// By ``CallOutcome``'s raw value.
        fileprivate(set) var outcomes = [UInt64](repeating: 0, count: CallOutcome.count)
        /// Of the calls that were admitted.
        fileprivate(set) var nanoseconds: UInt64 = 0
        fileprivate(set) var answered: UInt64 = 0

        fileprivate init(_ name: String) {
            labels = MetricLabels("gen_ai_tool_name", name)
        }
    }

    static let others = "_other"
    static let mostTools = 1000
    static let mostUnproven = 100
    /// Of a name, in bytes: MCP 2025-11-25, "Tool Names".
    static let longestName = 128

    private(set) var tools = [Tool(others)]
    private var places: [String: Int] = [:]
    private var unproven = 0

    /// A call was answered, or given up.
    mutating func record(_ name: String, _ outcome: CallOutcome, nanoseconds: UInt64) {
        let place = place(of: name, outcome)
        tools[place].outcomes[outcome.rawValue] += 1
        // Wraps after 584 years of calls, and a clock that jumped must not end the process.
        tools[place].nanoseconds &+= nanoseconds
        tools[place].answered += 1
        if place > 0, outcome == .success, !tools[place].hasSucceeded {
            tools[place].hasSucceeded = true
            unproven -= 1
        }
    }

    /// A policy refused a call.
    mutating func block(_ name: String) {
        tools[place(of: name, .blocked)].outcomes[CallOutcome.blocked.rawValue] += 1
    }

    private mutating func place(of name: String, _ outcome: CallOutcome) -> Int {
        if let place = places[name] { return place }
        guard tools.count <= Self.mostTools, outcome == .success || unproven < Self.mostUnproven, Self.isUsual(name)
        else { return 0 }
        let place = tools.count
        tools.append(Tool(name))
        places[name] = place
        unproven += 1
        return place
    }

    /// Visible ASCII: nothing that could play tricks on a reader of a dashboard.
    private static func isUsual(_ name: String) -> Bool {
        name != others && (1...longestName).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}
