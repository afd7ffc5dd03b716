import ArgumentParser
import Testing

@testable import Commands

@Suite("The order of arguments")
struct ArgumentOrderTests {
    @Test(
        "a subcommand may stand anywhere among the options, but not as the value of one",
        arguments: [
            ("check --config f", "check --config f"),
            ("--config f check", "check --config f"),
            ("--config=f check --verbose", "check --config=f --verbose"),
            ("--verbose --config f --dotenv-path e check", "check --verbose --config f --dotenv-path e"),
            ("--config check", "--config check"),
            ("--config check check", "check --config check"),
            ("--config", "--config"),
            ("", ""),
            ("nonsense check", "nonsense check"),
            ("-- check", "-- check"),
        ])
    func order(given: String, expected: String) {
        let words = given.split(separator: " ").map(String.init)
        #expect(
            ArgumentOrder.subcommandFirst(words, subcommands: ["check"]).joined(separator: " ") == expected)
    }

    @Test("every option of every command that takes a value is known to take one")
    func valuedOptions() throws {
        let commands: [any ParsableCommand.Type] = [GatekitCommand.self] + GatekitCommand.configuration.subcommands
        for command in commands {
            let help = command.helpMessage(columns: 200)
            let valued = help.split(separator: "\n").compactMap { line -> String? in
                let words = line.split(separator: " ")
                guard words.count > 1, words[0].hasPrefix("--"), words[1].hasPrefix("<") else { return nil }
                return String(words[0])
            }
            #expect(!valued.isEmpty)
            for option in valued { #expect(ArgumentOrder.valued.contains(option), "\(option) of \(command)") }
        }
    }
}
