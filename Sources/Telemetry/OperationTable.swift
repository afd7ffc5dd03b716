/// How long requests took, by method and outcome. Methods that MCP does not define share `_OTHER`.
struct OperationTable {
    static let methods = [
        "tools/call", "tools/list", "initialize", "ping", "server/discover", "logging/setLevel", "resources/list",
        "resources/templates/list", "resources/read", "resources/subscribe", "resources/unsubscribe", "prompts/list",
        "prompts/get", "completion/complete", "subscriptions/listen", "tasks/get", "tasks/result", "tasks/list",
        "tasks/cancel", "_OTHER",
    ]

    private static let places = Dictionary(uniqueKeysWithValues: methods.enumerated().map { ($1, $0) })
    /// By method and outcome; nil where nothing was recorded.
    private var histograms = [Histogram?](repeating: nil, count: methods.count * CallOutcome.count)

    mutating func record(_ method: String, _ outcome: CallOutcome, nanoseconds: UInt64) {
        // Nearly all traffic.
        let place = method == "tools/call" ? 0 : Self.places[method] ?? Self.methods.count - 1
        let index = place * CallOutcome.count + outcome.rawValue
        if histograms[index] == nil { histograms[index] = .conventional }
        histograms[index]?.record(nanoseconds)
    }

    /// Calls `body` with each histogram that has something in it.
    func forEach(_ body: (String, CallOutcome, Histogram) -> Void) {
        for (place, method) in Self.methods.enumerated() {
            for outcome in CallOutcome.allCases {
                let index = place * CallOutcome.count + outcome.rawValue
                if let histogram = histograms[index] { body(method, outcome, histogram) }
            }
        }
    }
}
