import Logging
import Systemd
import Testing

@testable import Daemon

@Suite("the daemon's own log", .serialized)
struct DaemonLogTests {
    private static let log = DaemonLog(label: "gatekit.main")

    private static func line(_ message: String, _ level: Logger.Level) -> String {
        String(decoding: log.line(message, level), as: UTF8.self)
    }

    private static func entry(_ message: String, _ level: Logger.Level) -> String {
        String(decoding: log.entry(message, level).bytes, as: UTF8.self)
    }

    @Test("a line names its level and label, an upstream's line its upstream; neither can be forged")
    func lines() {
        #expect(Self.line("started", .info) == "[INFO] gatekit.main: started\n")
        #expect(
            Self.line("a\n[TOOL CALL] \u{1B}[2J\u{202E}", .error)
                == "[ERROR] gatekit.main: a\\u{a}[TOOL CALL] \\u{1b}[2J\\u{202e}\n")
        #expect(Self.line("[upstream fs] ready", .notice) == "[upstream fs] ready\n")
    }

    @Test(
        "an entry has a priority for its level",
        arguments: [
            (Logger.Level.trace, 7), (.debug, 7), (.info, 6), (.notice, 5), (.warning, 4), (.error, 3), (.critical, 3),
        ])
    func entries(level: Logger.Level, priority: Int) {
        #expect(
            Self.entry("a\nb", level) == """
                MESSAGE=a\\u{a}b
                SYSLOG_IDENTIFIER=gatekit
                PRIORITY=\(priority)
                SYSLOG_FACILITY=3
                GATEKIT_LOGGER=gatekit.main

                """)
    }

    @Test("an upstream's line is an entry of its own identifier, without the prefix")
    func upstream() {
        #expect(
            Self.entry("[upstream fs] [info] ready", .info) == """
                MESSAGE=[info] ready
                SYSLOG_IDENTIFIER=gatekit-upstream
                GATEKIT_UPSTREAM=fs
                PRIORITY=6
                SYSLOG_FACILITY=3
                GATEKIT_LOGGER=gatekit.main

                """)
    }

    @Test("a level that is set holds for loggers that were made before, except those with their own")
    func level() {
        let logger = DaemonLog.logger("a")
        var own = DaemonLog.logger("b")
        own.logLevel = .error
        #expect(logger.logLevel == .info)
        DaemonLog.setLevel(.debug)
        #expect(logger.logLevel == .debug && own.logLevel == .error)
        DaemonLog.setLevel(.info)
        #expect(logger.logLevel == .info)
    }
}
