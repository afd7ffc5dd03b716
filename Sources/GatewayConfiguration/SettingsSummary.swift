extension Settings {
    /// What would run, for `check` and `--verbose`: one line a setting, in a fixed order.
    ///
    /// Variables appear by name only, and words of the command that look like secrets are hidden.
    public func summary() -> [(key: String, value: String)] {
        facts().map { ($0.key, $0.shown) }
    }

    /// What differs in a newer configuration, one phrase each, without secrets: `key: old -> new`, or `key changed`
    /// where the value may not be shown. Empty when the two are equal.
    public func changes(to newer: Settings) -> [String] {
        let old = facts()
        let new = newer.facts()
        let oldByKey = Dictionary(old.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let newKeys = Set(new.map(\.key))
        var changes = old.filter { !newKeys.contains($0.key) }.map { "\($0.key) removed" }
        for fact in new {
            guard let before = oldByKey[fact.key] else {
                changes.append("\(fact.key) added: \(fact.shown)")
                continue
            }
            if before.value == fact.value { continue }
            if let difference = Self.tokenChanges(before, fact) {
                changes += difference
                continue
            }
            let isShown = before.shown != fact.shown
            changes.append(isShown ? "\(fact.key): \(before.shown) -> \(fact.shown)" : "\(fact.key) changed")
        }
        return changes
    }

    /// One setting: what may be shown of it, and what it really is.
    private struct Fact {
        var key: String
        var shown: String
        var value: AnyHashable

        init(_ key: String, _ shown: String, _ value: some Hashable & Sendable) {
            self.key = key
            self.shown = shown
            self.value = AnyHashable(value)
        }

        init(_ key: String, _ shown: String) {
            self.init(key, shown, shown)
        }
    }

    private func facts() -> [Fact] {
        var facts = [
            Fact("config", configPath), Fact("proxy.transport", transports.map(\.rawValue).joined(separator: ", ")),
        ]
        if transports.contains(.unix) {
            let group = unix.group.map { ", group \($0)" } ?? ""
            facts.append(Fact("proxy.unix", "\(printable(unix.path)), mode \(octal(unix.mode))\(group)", unix))
        }
        facts += upstreamFacts()
        facts += [
            Fact("timeouts.connection_timeout", "\(Section.shown(timeouts.connection)) s"),
            Fact("timeouts.request_timeout", "\(Section.shown(timeouts.request)) s"),
            Fact(
                "timeouts.idle_session_timeout",
                timeouts.idleSession == 0 ? "never" : "\(Section.shown(timeouts.idleSession)) s"),
            Fact("timeouts.shutdown_timeout", "\(Section.shown(timeouts.shutdown)) s"),
            Fact("limits.max_message_bytes", "\(limits.maxMessageBytes)"),
            Fact("limits.max_depth", "\(limits.maxDepth)"),
            Fact("limits.max_sessions", "\(limits.maxSessions)"),
            Fact("limits.max_pending_per_session", "\(limits.maxPendingPerSession)"),
        ]
        facts += http.map(Self.facts(of:)) ?? []
        facts += toolAllowlists.enumerated().map { index, list in
            Fact("tool_allowlist \(index + 1)", Self.shown(list), list)
        }
        facts += fileAuditing.map { Fact("file_auditing \(printable($0.outputFile))", Self.shown($0), $0) }
        let chosen = outputSanitization?.stages ?? []
        let stages = OutputSanitizationSettings.Stage.allCases.filter(chosen.contains).map(\.rawValue)
        facts.append(Fact("output_sanitization", stages.isEmpty ? "off" : Self.names(stages), outputSanitization))
        if let journalAuditing {
            let shown = [
                "identifier \(printable(journalAuditing.identifier))", "format \(journalAuditing.format.rawValue)",
                "mode \(journalAuditing.mode.rawValue)", journalAuditing.critical ? "critical" : "not critical",
            ].joined(separator: ", ")
            facts.append(Fact("journal_auditing", shown, journalAuditing))
        }
        if !redactedNames.isEmpty {
            facts.append(Fact("redaction.extra_names", Self.names(redactedNames), redactedNames))
        }
        if let metrics { facts.append(Fact("metrics", "http://\(metrics.address)/metrics", metrics)) }
        facts.append(Fact("tool-call log", toolCallLog ? "on" : "off"))
        facts.append(Fact("logging.level", logLevel.rawValue))
        return facts
    }

    private func upstreamFacts() -> [Fact] {
        var facts = [
            Fact(
                "upstream.command", SecretWords.hidden(upstream.commandAsWritten).map(Self.word).joined(separator: " "),
                upstream.command)
        ]
        if let name = upstream.name { facts.append(Fact("upstream.name", name)) }
        if let directory = upstream.workingDirectory {
            facts.append(Fact("upstream.cwd", printable(directory), directory))
        }
        if !upstream.environment.isEmpty {
            facts.append(Fact("upstream.env", Self.names(upstream.environment.keys.sorted()), upstream.environment))
        }
        if !upstream.inherit.isEmpty {
            facts.append(Fact("upstream.inherit", Self.names(upstream.inherit), upstream.inherit))
        }
        let attempts = upstream.maxRestartAttempts.map { "up to \($0) times" } ?? "yes"
        facts += [
            Fact("upstream.era", upstream.era.rawValue),
            Fact(
                "upstream.sessions", upstream.sessions.rawValue,
                [upstream.sessions.rawValue, "\(upstream.maxDedicated)"]),
            Fact("upstream.restart", upstream.restartOnFailure ? attempts : "no"),
        ]
        return facts
    }

    private static func facts(of http: HTTPDoorSettings) -> [Fact] {
        // An IPv6 address needs brackets in front of a port.
        let host = http.host.contains(":") ? "[\(http.host)]" : http.host
        let place = "\(printable(host)):\(http.port)\(printable(http.path))"
        var facts = [Fact("proxy.http", "\(place), at most \(http.maxConnections) connections")]
        if !http.allowedOrigins.isEmpty {
            facts.append(Fact("proxy.http.allowed_origins", names(http.allowedOrigins), http.allowedOrigins))
        }
        if !http.allowedHosts.isEmpty {
            facts.append(Fact("proxy.http.allowed_hosts", names(http.allowedHosts), http.allowedHosts))
        }
        if let path = http.tokensFile { facts.append(Fact("proxy.http.tokens_file", printable(path), path)) }
        if let tokens = http.tokens {
            facts.append(Fact(tokensKey, tokens.isEmpty ? "none" : names(tokens.keys.sorted()), tokens))
        }
        if let tls = http.tls {
            facts.append(
                Fact(
                    "proxy.http.tls", "certificate \(printable(tls.certificatePath)), key \(printable(tls.keyPath))",
                    tls))
        }
        return facts
    }

    private static let tokensKey = "proxy.http tokens"

    /// Which names came, went or have another token; nil for other facts. Never a digest.
    private static func tokenChanges(_ old: Fact, _ new: Fact) -> [String]? {
        guard new.key == tokensKey, let old = old.value as? [String: TokenDigest],
            let new = new.value as? [String: TokenDigest]
        else { return nil }
        let groups = [
            ("added", new.keys.filter { old[$0] == nil }), ("removed", old.keys.filter { new[$0] == nil }),
            ("changed", new.keys.filter { name in old[name].map { $0 != new[name] } ?? false }),
        ]
        return groups.filter { !$0.1.isEmpty }.map { "\(tokensKey) \($0.0): \(names($0.1.sorted()))" }
    }

    private static func shown(_ list: ToolAllowlistSettings) -> String {
        let tools = list.tools.isEmpty ? "no tools" : names(list.tools)
        let subject = list.mode == .allowAll ? "every tool" : tools
        return "\(list.mode.rawValue): \(subject); priority \(list.priority)"
    }

    private static func shown(_ sink: FileAuditingSettings) -> String {
        let size = Double(sink.maxFileBytes) / (1024 * 1024)
        let rotation =
            sink.backupCount == 0 ? "never rotated" : "\(Section.shown(size)) MB, \(sink.backupCount) backups"
        var parts = [
            "format \(sink.format.rawValue)", "mode \(sink.mode.rawValue)", rotation,
            sink.critical ? "critical" : "not critical", "durability \(sink.durability.rawValue)",
            "file mode \(octal(sink.fileMode))",
        ]
        if let group = sink.group { parts.append("group \(group)") }
        if sink.includeRequestBody { parts.append("request bodies") }
        if sink.includeResponseBody { parts.append("response bodies") }
        return parts.joined(separator: ", ")
    }

    private static func names(_ names: [String]) -> String {
        let rest = names.count > 20 ? " and \(names.count - 20) more" : ""
        return names.prefix(20).map(printable).joined(separator: ", ") + rest
    }

    /// Quoted where a shell would need it.
    private static func word(_ word: String) -> String {
        let special = " '\"\\$`|&;<>()#"
        let isPlain =
            !word.isEmpty && word.unicodeScalars.allSatisfy { isPrintable($0) && !special.unicodeScalars.contains($0) }
        if isPlain { return printable(word) }
        return "'" + printable(word).split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
            + "'"
    }
}

/// `0660`.
private func octal(_ mode: UInt32) -> String {
    "0" + String(mode, radix: 8)
}
