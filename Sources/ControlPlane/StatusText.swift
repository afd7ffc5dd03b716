extension StatusReport {
    /// What `status` prints for a person: one line of verdict, then what is wrong, then the rest in columns.
    public var text: String {
        var rows: [(String, String)] = trouble.map { ("TROUBLE", $0) } + warnings.map { ("warning", $0) }
        rows.append(("upstream", "\(upstream.name): \(upstreamText)"))
        rows += transports.map { ("transport", "\($0.name) \($0.address)") }
        rows.append(("sessions", "\(sessions), \(PlainText.count(pending, "request")) pending"))
        rows.append(("config", "\(configPath), generation \(config.generation), hash \(config.hash)"))
        rows += reloadRows
        rows.append(("env", environment.path.map { "\(environment.source): \($0)" } ?? environment.source))
        rows += audit.map { ("audit", $0.text) }
        if audit.isEmpty { rows.append(("audit", "none")) }
        rows.append(("sanitizer", sanitization.text))
        if logLinesDropped > 0 { rows.append(("log", "\(PlainText.count(logLinesDropped, "line")) dropped")) }
        if let watchdog {
            rows.append(("watchdog", "every \(PlainText.milliseconds(watchdog.intervalSeconds * 1000))"))
        }
        let lines = rows.map { name, value in
            "  \(name)\(String(repeating: " ", count: 12 - name.count))\(value)"
        }
        return PlainText.safe(([headline] + lines).joined(separator: "\n") + "\n")
    }

    /// What needs somebody's attention.
    var trouble: [String] {
        var trouble: [String] = []
        if upstream.state != .ready {
            trouble.append("upstream \(upstream.name) is \(upstream.state)" + (upstream.reason.map { ": \($0)" } ?? ""))
        }
        for sink in audit where !sink.isOpen {
            trouble.append(
                "audit \(sink.name) takes no records, requests are refused: \(sink.reason ?? "no reason known")")
        }
        for sink in audit where sink.isOpen {
            if let reason = sink.reason { trouble.append("audit \(sink.name): \(reason)") }
        }
        if let lastReload, lastReload.result == "refused" {
            trouble.append("the last reload was refused, generation \(config.generation) is still enforced")
        }
        return trouble
    }

    private var headline: String {
        let doing =
            switch state {
            case .running: "is running"
            case .reloading: "is running, a reload is under way"
            case .stopping: "is ending"
            }
        return "gatekit \(version) \(doing): pid \(pid), up \(PlainText.seconds(uptimeSeconds))"
    }

    private var upstreamText: String {
        var parts = [upstream.pid.map { "\(upstream.state) (pid \($0))" } ?? "\(upstream.state)"]
        if let era = upstream.era { parts.append("\(era) era") }
        parts.append(PlainText.count(upstream.restarts, "restart"))
        if upstream.sessions == "dedicated" {
            parts.append("one process per session: \(upstream.ownProcesses) of at most \(upstream.maxDedicated)")
        } else if upstream.ownProcesses > 0 {
            parts.append("\(PlainText.count(upstream.ownProcesses, "session")) with a process of their own")
        }
        guard let second = upstream.second else { return parts.joined(separator: ", ") }
        var other = ["second process: " + (second.pid.map { "\(second.state) (pid \($0))" } ?? "\(second.state)")]
        if let era = second.era { other.append("\(era) era") }
        other.append(PlainText.count(second.restarts, "restart"))
        return [parts, other].map { $0.joined(separator: ", ") }.joined(separator: "; ")
    }

    private var reloadRows: [(String, String)] {
        guard let lastReload else { return [("reload", "none yet")] }
        let took = PlainText.milliseconds(lastReload.durationMilliseconds)
        var rows = [("reload", "\(lastReload.result) at \(lastReload.time), took \(took)")]
        rows += (lastReload.problems + lastReload.changes + lastReload.notes.map { "note: \($0)" }).map { ("", $0) }
        return rows
    }
}

extension StatusReport.Sanitization {
    fileprivate var text: String {
        guard !stages.isEmpty else { return "off" }
        let changed = "\(stages.joined(separator: ", ")): \(PlainText.count(responses, "answer")) changed"
        guard responses > 0 else { return changed }
        return changed + " (\(PlainText.count(invisible, "invisible character")), \(markup) of markup, "
            + "\(PlainText.count(codeFences, "code fence")))"
    }
}

extension StatusReport.Sink {
    fileprivate var text: String {
        let written = "\(PlainText.count(records, "record")), \(PlainText.bytes(bytes))"
        let kind = [kind, format].compactMap { $0 }.filter { $0 != name }.joined(separator: ", ")
        var text = kind.isEmpty ? "\(name): \(written)" : "\(name) (\(kind)): \(written)"
        if queuedBytes > 0 { text += ", \(queuedBytes) B queued" }
        if missing > 0 { text += ", \(missing) missing" }
        if let lastError { text += ", last error: \(lastError)" }
        return text
    }
}
