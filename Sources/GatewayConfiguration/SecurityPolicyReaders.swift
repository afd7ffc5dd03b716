/// `config` of policy `tool_allowlist`.
struct ToolAllowlistReader {
    let entry: PolicyEntry

    /// nil when it cannot be used; the reason is reported.
    func read() -> ToolAllowlistSettings? {
        guard let config = entry.config(keys: ["mode", "tools", "block_message"]) else { return nil }
        let reading = entry.reading
        let valid = ToolAllowlistSettings.Mode.allCases.map(\.rawValue).joined(separator: ", ")
        entry.requireKey("mode", in: config, "choose one (valid: \(valid))")
        let mode = config.choice("mode", ToolAllowlistSettings.Mode.self)
        if let mode, mode != .allowAll {
            entry.requireKey("tools", in: config, "list the tools ([] in an allowlist blocks everything)")
        }
        let tools = tools(config)
        if mode == .allowAll, !tools.isEmpty {
            reading.warn(config.keyPosition(of: "tools"), "\(config.path("tools")) has no effect in mode 'allow_all'")
        }
        let message = config.nonEmptyText("block_message")
        if let message, message.value.utf8.count > 1024 {
            reading.refuse(message.position, "\(message.name) is longer than 1024 bytes")
        }
        if entry.critical(config) == false, let place = entry.place("critical", config) {
            reading.refuse(
                place.position(of: "critical"), "a security policy is always critical; remove 'critical: false'")
        }
        let priority = entry.priority(config)
        return mode.map {
            ToolAllowlistSettings(mode: $0, tools: tools, blockMessage: message?.value, priority: priority)
        }
    }

    private func tools(_ config: Section) -> [String] {
        var result: [String] = []
        var known: Set<String> = []
        for text in config.texts("tools") ?? [] {
            if text.value.isEmpty {
                entry.reading.refuse(text.position, "\(text.name) is empty; name a tool or remove the item")
            } else if !known.insert(text.value).inserted {
                entry.reading.warn(text.position, "\(text.name): '\(printable(text.raw))' is listed twice")
            } else {
                result.append(text.value)
            }
        }
        return result
    }
}

/// `config` of policy `output_sanitization`.
struct OutputSanitizationReader {
    let entry: PolicyEntry

    /// nil when it cannot be used; the reason is reported.
    func read() -> OutputSanitizationSettings? {
        guard let config = entry.config(keys: ["stages"]) else { return nil }
        let reading = entry.reading
        var settings = OutputSanitizationSettings(priority: entry.priority(config))
        if let texts = config.texts("stages") {
            reading.hasChosenStages = true
            settings.stages = Set(texts.compactMap { Section.choice($0, noun: "stage", reading: reading) })
            if texts.isEmpty {
                reading.refuse(
                    config.position(of: "stages"), "\(config.path("stages")) names no stage; use enabled: false")
            }
        }
        if entry.critical(config) == false, let place = entry.place("critical", config) {
            reading.refuse(
                place.position(of: "critical"), "a security policy is always critical; remove 'critical: false'")
        }
        return settings
    }
}
