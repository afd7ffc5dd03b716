/// `plugins`: which policies run, in the list form or the map form by server.
struct PoliciesReader {
    let reading: Reading
    /// The upstream's name, as the map form's keys refer to it.
    let serverName: String?

    /// The map form's key for entries that hold for every server.
    static let everyServer = "_global"

    private static let security = ["tool_allowlist", "output_sanitization"]
    private static let auditing = ["file_auditing", "journal_auditing"]

    /// Fills `settings`; problems go to ``reading``.
    func read(_ plugins: Section, into settings: inout Settings) {
        var allowlists: [ToolAllowlistSettings] = []
        var hasSanitization = false
        var disabled: PolicyEntry?
        for entry in entries(plugins, "security", policies: Self.security, elsewhere: Self.auditing) {
            if entry.policy == "tool_allowlist" {
                let allowlist = ToolAllowlistReader(entry: entry).read()
                if entry.isEnabled, let allowlist { allowlists.append(allowlist) }
                continue
            }
            let sanitization = OutputSanitizationReader(entry: entry).read()
            guard entry.isEnabled else {
                disabled = entry
                continue
            }
            refuseSecond(entry, already: hasSanitization)
            hasSanitization = true
            settings.outputSanitization = sanitization
        }
        if let disabled, !hasSanitization {
            settings.outputSanitization = nil
            reading.warn(disabled.policyPosition, OutputSanitizationSettings.offWarning)
        }
        // The sort is stable: equal priorities keep the order written.
        settings.toolAllowlists = allowlists.sorted { $0.priority < $1.priority }

        var sinks = FileSinks(reading: reading)
        var hasJournal = false
        for entry in entries(plugins, "auditing", policies: Self.auditing, elsewhere: Self.security) {
            if entry.policy == "file_auditing" {
                sinks.add(entry)
                continue
            }
            let journal = JournalAuditingReader(entry: entry).read()
            guard entry.isEnabled else { continue }
            refuseSecond(entry, already: hasJournal)
            hasJournal = true
            settings.journalAuditing = journal
        }
        settings.fileAuditing = sinks.enabled
    }

    private func refuseSecond(_ entry: PolicyEntry, already: Bool) {
        if already { reading.refuse(entry.policyPosition, "policy '\(entry.policy)' is given twice; keep one entry") }
    }

    private func entries(
        _ plugins: Section, _ key: String, policies: [String], elsewhere: [String]
    ) -> [PolicyEntry] {
        guard let value = plugins.value(key) else { return [] }
        let name = plugins.path(key)
        func list(_ value: YAMLValue, _ name: String) -> [PolicyEntry] {
            guard case .sequence(let values) = value.content else {
                reading.mismatch(value, name, expected: "a list", remedy: " (an empty one is [])")
                return []
            }
            return values.enumerated().compactMap { index, value in
                PolicyEntry(
                    value, name: "\(name)[\(index)]", policies: policies, elsewhere: elsewhere, reading: reading)
            }
        }
        switch value.content {
        case .sequence:
            return list(value, name)
        case .mapping:
            return (Section.entries(of: value, name: name, reading: reading) ?? []).flatMap { entry in
                if entry.key != Self.everyServer, entry.key != serverName { refuseServer(entry, in: name) }
                return list(entry.value, "\(name).\(printable(entry.key))")
            }
        case .scalar, .refused:
            reading.mismatch(
                value, name, expected: "a list of policies or a map by server", remedy: " (an empty one is [])")
            return []
        }
    }

    private func refuseServer(_ entry: YAMLEntry, in name: String) {
        let valid = [Self.everyServer] + (serverName.map { [printable($0)] } ?? [])
        let hint = serverName == nil ? "; proxy.upstream has no name" : ""
        reading.refuse(
            entry.keyPosition,
            "unknown server '\(printable(entry.key))' in \(name)\(hint) (valid: \(valid.joined(separator: ", ")))")
    }
}

/// One entry of a policy list: what all policies have in common.
struct PolicyEntry {
    let policy: String
    let policyPosition: YAMLPosition
    let isEnabled: Bool
    private let entry: Section
    private let configValue: YAMLValue?
    let position: YAMLPosition

    var reading: Reading { entry.reading }

    /// nil when it is no entry or names no known policy. `elsewhere` are the policies of the other list.
    init?(_ value: YAMLValue, name: String, policies: [String], elsewhere: [String], reading: Reading) {
        let keys = ["policy", "enabled", "priority", "critical", "config"]
        guard let entry = Section(value, name: name, keys: keys, reading: reading) else { return nil }
        guard entry.has("policy") else {
            reading.refuse(entry.position, "\(name).policy is missing (valid: \(policies.joined(separator: ", ")))")
            return nil
        }
        guard let text = entry.text("policy") else { return nil }
        guard policies.contains(text.value) else {
            let hint =
                if elsewhere.contains(text.value) {
                    "; it belongs under the other list of plugins"
                } else {
                    nearestName(to: text.raw, among: policies).map { "; did you mean '\($0)'?" } ?? ""
                }
            reading.refuse(
                text.position,
                "unknown policy '\(printable(text.raw))' in \(name)\(hint) (valid: \(policies.joined(separator: ", ")))"
            )
            return nil
        }
        self.entry = entry
        policy = text.value
        policyPosition = text.position
        position = entry.position
        isEnabled = entry.flag("enabled") ?? true
        configValue = entry.value("config")
    }

    /// `config`, with the keys of the policy and the two that may also stand beside `policy`. An absent one is empty.
    func config(keys: [String]) -> Section? {
        let value = configValue ?? YAMLValue(position: position, content: .mapping([]))
        return Section(value, name: entry.path("config"), keys: keys + ["priority", "critical"], reading: reading)
    }

    /// 0 to 100, default 50, from either place.
    func priority(_ config: Section) -> Int {
        place("priority", config)?.integer("priority", in: 0...100) ?? 50
    }

    /// From either place; nil when in neither.
    func critical(_ config: Section) -> Bool? {
        place("critical", config)?.flag("critical")
    }

    /// Where a key stands, for messages about it.
    func place(_ key: String, _ config: Section) -> Section? {
        guard config.has(key) else { return entry.has(key) ? entry : nil }
        if entry.has(key) {
            reading.refuse(
                config.keyPosition(of: key), "'\(key)' stands beside 'policy' and in 'config'; keep one of them")
        }
        return config
    }

    /// A key that a policy cannot do without.
    func requireKey(_ key: String, in config: Section, _ remedy: String) {
        if !config.has(key) { reading.refuse(config.position, "\(config.path(key)) is missing; \(remedy)") }
    }
}
