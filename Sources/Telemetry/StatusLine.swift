public import AuditTrail
public import Gateway
public import GatewayEvents
public import MCPRouting

/// The one line by which a running gateway tells how it is, as `systemctl status` shows it. Trouble comes first.
public struct StatusLine: Sendable {
    /// What is going on in routing.
    public var counts: Router.Counts
    /// The snapshot in force, `generation:hash8`.
    public var label: String
    /// How the shared upstream stands.
    public var upstream: UpstreamStatus
    /// How each audit sink stands.
    public var sinks: [SinkStatus]
    /// The last reload, if there was one.
    public var lastReload: ReloadOutcome?

    /// Joins what the line is made of.
    public init(
        counts: Router.Counts, label: String, upstream: UpstreamStatus, sinks: [SinkStatus], lastReload: ReloadOutcome?
    ) {
        self.counts = counts
        self.label = label
        self.upstream = upstream
        self.sinks = sinks
        self.lastReload = lastReload
    }

    /// No newline; a few hundred bytes at most.
    public var text: String {
        let parts =
            troubles + [
                "\(Self.counted(counts.sessions, "session")), \(Self.counted(counts.calls, "call")) in flight",
                "configuration \(label)\(reload)",
            ]
        return parts.joined(separator: "; ")
    }

    private var troubles: [String] {
        var troubles: [String] = []
        for sink in sinks where !sink.isOpen {
            troubles.append("AUDIT CLOSED \(sink.name): \(Self.short(sink.reason ?? "cannot take records"))")
        }
        for sink in sinks where sink.isOpen && sink.reason != nil {
            troubles.append("audit trouble \(sink.name): \(Self.short(sink.reason ?? ""))")
        }
        if case .failed = upstream.state {
            troubles.append("upstream failed: \(Self.short(upstream.reason ?? "unknown"))")
        }
        if case .starting = upstream.state { troubles.append("upstream starting") }
        if let lastReload, lastReload.result == .refused, let problem = lastReload.problems.first {
            let more = lastReload.problems.count > 1 ? " (and \(lastReload.problems.count - 1) more)" : ""
            troubles.append("last reload refused: \(Self.short(problem))\(more)")
        }
        return troubles
    }

    private var reload: String {
        guard let lastReload, lastReload.result != .refused else { return "" }
        return ", last reload \(lastReload.result.rawValue)"
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }

    private static func short(_ text: String) -> String {
        text.count <= 200 ? text : "\(text.prefix(199))…"
    }
}
