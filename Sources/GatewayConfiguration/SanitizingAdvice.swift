/// What an operator should know of the sanitising that a configuration leads to.
enum SanitizingAdvice {
    /// Warns of an upstream that reads files, when nobody chose the stages.
    static func warnings(_ settings: Settings, file: String) -> [ConfigurationProblem] {
        guard settings.outputSanitization != nil, let reader = fileReader(settings) else { return [] }
        return [
            ConfigurationProblem(
                file: file,
                message:
                    "output_sanitization takes markup out of what tools answer, and \(reader) reads files: an agent "
                    + "that edits what it has read would write it back without; choose the policy's stages, such as "
                    + "stages: [invisible]")
        ]
    }

    /// The command, or a tool that the operator allowed by its name: nothing has been started yet that could be asked.
    private static func fileReader(_ settings: Settings) -> String? {
        let words = settings.upstream.command.compactMap { $0.split(separator: "/").last }
        if let word = words.first(where: { $0.lowercased().contains("filesystem") }) {
            return "the upstream '\(printable(String(word)))'"
        }
        let allowed = settings.toolAllowlists.filter { $0.mode == .allowlist }.flatMap(\.tools)
        let tool = allowed.first { $0.hasPrefix("read_") && $0.contains("file") }
        return tool.map { "the tool '\(printable($0))'" }
    }
}
