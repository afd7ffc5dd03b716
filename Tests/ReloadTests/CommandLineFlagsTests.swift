import GatewayConfiguration
import Testing

@testable import Reload

@Suite("Flags of the command line")
struct CommandLineFlagsTests {
    private static func settings(_ edit: (inout Settings) -> Void = { _ in }) -> Settings {
        var settings = Settings(upstream: UpstreamSettings(command: ["true"]), configPath: "/c")
        edit(&settings)
        return settings
    }

    @Test("beat what the files say")
    func apply() {
        var settings = Self.settings()
        CommandLineFlags(transports: [.unix], logsToolCalls: true, logLevel: .debug).apply(to: &settings)
        #expect(settings.transports == [.unix])
        #expect(settings.toolCallLog)
        #expect(settings.logLevel == .debug)
    }

    @Test("may bring in the door of HTTP, as the files have it or with its defaults")
    func http() {
        var settings = Self.settings()
        CommandLineFlags(transports: [.http]).apply(to: &settings)
        #expect(settings.http == HTTPDoorSettings())
        settings.http?.port = 9000
        CommandLineFlags(transports: [.http]).apply(to: &settings)
        #expect(settings.http?.port == 9000)
    }

    @Test("that are not given change nothing")
    func none() {
        var settings = Self.settings { $0.toolCallLog = true }
        CommandLineFlags().apply(to: &settings)
        #expect(settings == Self.settings { $0.toolCallLog = true })
    }

    @Test("are named when they make an edit ineffective, and only then")
    func ineffective() {
        let flags = CommandLineFlags(transports: [.unix], logsToolCalls: true, logLevel: .debug)
        let former = Self.settings()
        let next = Self.settings {
            $0.transports = [.stdio, .unix]
            $0.toolCallLog = true
            $0.logLevel = .error
        }
        let edits = flags.ineffectiveEdits(from: former, to: next)
        #expect(edits.count == 3)
        for flag in ["--transport", "--verbose", "--log-tool-calls"] {
            #expect(edits.contains { $0.contains(flag) })
        }
        #expect(flags.ineffectiveEdits(from: former, to: former).isEmpty)
        #expect(CommandLineFlags().ineffectiveEdits(from: former, to: next).isEmpty)
    }
}
