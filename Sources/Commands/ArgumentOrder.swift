/// Options may stand before or after the subcommand, whereas ArgumentParser wants the subcommand first.
enum ArgumentOrder {
    /// The options that take a value as the next word.
    static let valued: Set<String> = [
        "--config", "--dotenv-path", "--transport", "--pid-file", "--instance", "--timeout", "--socket", "--patience",
    ]

    /// Moves the first word that is a subcommand to the front. A word that is an option's value is none.
    static func subcommandFirst(_ arguments: [String], subcommands: Set<String>) -> [String] {
        var index = 0
        while index < arguments.count, arguments[index] != "--" {
            let word = arguments[index]
            if subcommands.contains(word) {
                return [word] + arguments[..<index] + arguments[(index + 1)...]
            }
            // A word that is neither is a mistake, which the parser names best where it stands.
            guard word.hasPrefix("-") else { return arguments }
            index += valued.contains(word) ? 2 : 1
        }
        return arguments
    }
}
