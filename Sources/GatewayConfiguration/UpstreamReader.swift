/// `proxy.upstream`: what is started and with which environment.
struct UpstreamReader {
    let reading: Reading

    private static let keys = [
        "name", "command", "env", "inherit", "era", "cwd", "sessions", "max_dedicated", "restart_on_failure",
        "max_restart_attempts",
    ]

    /// nil when there is no usable command.
    func read(_ value: YAMLValue) -> UpstreamSettings? {
        guard let section = Section(value, name: "proxy.upstream", keys: Self.keys, reading: reading) else {
            return nil
        }
        let command = command(section)
        var upstream = UpstreamSettings(command: command.words)
        upstream.commandAsWritten = command.asWritten
        upstream.name = name(section)
        upstream.environment = environment(section)
        upstream.inherit = inherit(section)
        upstream.workingDirectory = section.path(of: "cwd")
        if let era = section.choice("era", UpstreamEra.self) { upstream.era = era }
        if let sessions = section.choice("sessions", SessionSharing.self) {
            upstream.sessions = sessions
        }
        if let count = section.integer("max_dedicated", in: 0...1000) { upstream.maxDedicated = count }
        if let restart = section.flag("restart_on_failure") { upstream.restartOnFailure = restart }
        upstream.maxRestartAttempts = section.integer("max_restart_attempts", in: 0...1_000_000)
        return upstream.command.isEmpty ? nil : upstream
    }

    private func name(_ section: Section) -> String? {
        guard let text = section.nonEmptyText("name") else { return nil }
        if text.value == PoliciesReader.everyServer {
            reading.refuse(
                text.position, "proxy.upstream.name: '\(text.value)' means every server; choose another name")
        } else if text.value.unicodeScalars.count > 64 || !text.value.unicodeScalars.allSatisfy(isPrintable) {
            reading.refuse(
                text.position, "proxy.upstream.name: up to 64 printable characters, got '\(printable(text.raw))'")
        } else {
            return text.value
        }
        return nil
    }

    /// Empty when there is no usable command; the reason is reported.
    private func command(_ section: Section) -> (words: [String], asWritten: [String]) {
        guard let value = section.value("command") else {
            reading.refuse(section.position, "proxy.upstream.command is missing; name the program to start")
            return ([], [])
        }
        reading.commandPosition = value.position
        let command: (words: [String], asWritten: [String])
        if case .sequence(let values) = value.content {
            guard let texts = section.texts("command"), texts.count == values.count else { return ([], []) }
            command = (texts.map(\.value), texts.map(\.raw))
        } else {
            guard let text = section.text("command", expected: "text or a list of texts"),
                let split = split(text)
            else { return ([], []) }
            command = (split.words, split.wordsAsWritten)
        }
        guard let program = command.words.first, !program.isEmpty else {
            reading.refuse(value.position, "proxy.upstream.command is empty; name the program to start")
            return ([], [])
        }
        return command
    }

    private func split(_ text: Text) -> CommandWords? {
        do throws(CommandWords.Failure) {
            let split = try CommandWords(text.pieces, homeDirectory: reading.homeDirectory)
            if let sign = split.shellSyntax.first {
                reading.warn(text.position, "no shell is started: '\(sign)' in the command is passed on as text")
            }
            return split
        } catch {
            reading.refuse(text.position, "proxy.upstream.command: \(error.message)")
            return nil
        }
    }

    private func environment(_ section: Section) -> [String: String] {
        guard let value = section.value("env"),
            let entries = Section.entries(of: value, name: "proxy.upstream.env", reading: reading)
        else { return [:] }
        var result: [String: String] = [:]
        for entry in entries {
            let name = "proxy.upstream.env.\(printable(entry.key))"
            if !EnvironmentName.isValid(entry.key) {
                reading.refuse(
                    entry.keyPosition, "\(name) is no variable name (valid: letters, digits and '_', not first a digit)"
                )
            } else if GatewaySwitches.names.contains(entry.key) {
                reading.refuse(entry.keyPosition, "\(name) is a switch of the gateway and never reaches the upstream")
            } else if let text = Section.text(entry.value, name: name, reading: reading) {
                result[entry.key] = text.value
            }
        }
        return result
    }

    private func inherit(_ section: Section) -> [String] {
        (section.texts("inherit") ?? []).filter { text in
            guard EnvironmentName.isValidPattern(text.value) else {
                reading.refuse(
                    text.position,
                    "\(text.name): '\(printable(text.raw))' is no variable name (valid: letters, digits, '_', '*', '?')"
                )
                return false
            }
            guard !GatewaySwitches.names.contains(text.value) else {
                reading.refuse(
                    text.position,
                    "\(text.name): '\(text.raw)' is a switch of the gateway and never reaches the upstream")
                return false
            }
            return true
        }.map(\.value)
    }
}
