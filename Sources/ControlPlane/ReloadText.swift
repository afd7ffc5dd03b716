extension ReloadReport {
    /// What `reload` prints, and how it exits.
    /// - Parameter before: the generation in force before.
    func result(program: String, pid: Int32, before: Int) -> CommandResult {
        let took = PlainText.milliseconds(durationMilliseconds)
        let notes = self.notes.map { "note: \($0)" } + ["env: \(environmentSource)"]
        guard result != "refused" else {
            let lines =
                ["reload refused, still enforcing generation \(generation)"] + problems.map { "  \($0)" } + notes
            return CommandResult(code: 1, errors: Self.text(lines))
        }
        var lines = ["Sent SIGHUP to \(program) (pid=\(pid)). MCP sessions preserved."]
        lines += changes.map { "changed: \($0)" } + notes
        lines.append(
            result == "unchanged"
                ? "nothing changed: generation \(generation) stays in force (hash \(configHash), \(took))"
                : "generation \(before) -> \(generation) (hash \(configHash), \(took))")
        return CommandResult(code: 0, output: Self.text(lines))
    }

    private static func text(_ lines: [String]) -> String {
        PlainText.safe(lines.joined(separator: "\n") + "\n")
    }
}
