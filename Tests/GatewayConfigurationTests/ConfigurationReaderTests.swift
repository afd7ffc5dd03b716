import Glibc
import Testing

@testable import GatewayConfiguration

@Suite("ConfigurationReader")
struct ConfigurationReaderTests {
    @Test("the full shape gives exactly these settings")
    func fullShape() throws {
        let yaml = """
            proxy:
              transport: [unix, stdio]
              unix: { path: run/mcp.sock, mode: "0600", group: gatekit }
              upstream:
                name: filesystem
                command: "npx server ~/claude-sandbox/"
                env: { LOG_LEVEL: info }
                inherit: [NODE_*]
                era: legacy
                cwd: ~/x
                sessions: shared
                restart_on_failure: false
                max_restart_attempts: 7
              timeouts: { connection_timeout: 1, request_timeout: 2.5, idle_session_timeout: 3, shutdown_timeout: 4 }
              limits: { max_message_bytes: 2048, max_depth: 8, max_sessions: 9, max_pending_per_session: 10 }
            plugins:
              security:
                - policy: tool_allowlist
                  priority: 60
                  config: { mode: blocklist, tools: [c] }
                - policy: tool_allowlist
                  config: { mode: allowlist, tools: [a, "b*"], block_message: "no", critical: true, priority: 10 }
                - policy: tool_allowlist
                  enabled: false
                  config: { mode: allow_all }
              auditing:
                - policy: file_auditing
                  config:
                    output_file: logs/audit.log
                    mode: security
                    max_file_size_mb: 0.5
                    backup_count: 2
                    critical: false
                    durability: sync
                    file_mode: "0640"
                    group: adm
                    include_request_body: true
                    include_response_body: true
                    max_body_size: 99
                    timestamp_precision: microseconds
            redaction: { extra_names: [IBAN, pin] }
            logging: { level: warning }
            """
        var upstream = UpstreamSettings(name: "filesystem", command: ["npx", "server", "/home/u/claude-sandbox/"])
        upstream.environment = ["LOG_LEVEL": "info"]
        upstream.inherit = ["NODE_*"]
        upstream.era = .legacy
        upstream.workingDirectory = "/home/u/x"
        upstream.restartOnFailure = false
        upstream.maxRestartAttempts = 7
        var expected = Settings(upstream: upstream, configPath: "/etc/gatekit/test.yaml")
        expected.transports = [.unix, .stdio]
        expected.unix = UnixDoorSettings(path: "/etc/gatekit/run/mcp.sock", mode: 0o600, group: "gatekit")
        expected.timeouts = Timeouts(connection: 1, request: 2.5, idleSession: 3, shutdown: 4)
        expected.limits = Limits(maxMessageBytes: 2048, maxDepth: 8, maxSessions: 9, maxPendingPerSession: 10)
        expected.toolAllowlists = [
            ToolAllowlistSettings(mode: .allowlist, tools: ["a", "b*"], blockMessage: "no", priority: 10),
            ToolAllowlistSettings(mode: .blocklist, tools: ["c"], priority: 60),
        ]
        var sink = FileAuditingSettings(outputFile: "/etc/gatekit/logs/audit.log")
        sink.mode = .security
        sink.maxFileBytes = 512 * 1024
        sink.backupCount = 2
        sink.critical = false
        sink.durability = .sync
        sink.fileMode = 0o640
        sink.group = "adm"
        sink.includeRequestBody = true
        sink.includeResponseBody = true
        sink.maxBodySize = 99
        sink.timestampPrecision = .microseconds
        expected.fileAuditing = [sink]
        expected.redactedNames = ["iban", "pin"]
        expected.logLevel = .warning

        let loaded = try ConfigurationFixture.read(yaml)
        #expect(loaded.settings == expected)
        #expect(loaded.warnings.isEmpty)
    }

    @Test("a file with a command alone gives the defaults")
    func defaults() throws {
        let settings = try ConfigurationFixture.read(ConfigurationFixture.upstream()).settings
        #expect(settings == Settings(upstream: .init(command: ["server"]), configPath: "/etc/gatekit/test.yaml"))
    }

    @Test(
        "the shipped files are valid and need no warning",
        arguments: [
            "gatekit.yaml", "tutorials/2-implementing-audit-logging.yaml",
        ])
    func shipped(_ name: String) throws {
        let loaded = try ConfigurationReader.read(
            configPath: Self.shippedFolder + name, dotenvPath: nil, environment: [:], homeDirectory: "/home/u",
            mode: .start)
        // The tutorial chooses no stages, and its server reads files.
        let expected = name.hasPrefix("tutorials") ? ["output_sanitization takes markup out"] : []
        #expect(loaded.warnings.map { String($0.message.prefix(36)) } == expected)
        #expect(
            loaded.settings.upstream.command
                == ["npx", "@modelcontextprotocol/server-filesystem", "/home/u/claude-sandbox/"])
        #expect(loaded.settings.fileAuditing.map(\.maxFileBytes) == [10 * 1024 * 1024])
        #expect(loaded.settings.toolAllowlists.map(\.tools.count) == [5])
    }

    @Test(
        "the shipped files for other servers are valid and need no warning",
        arguments: [
            ("filesystem.yaml", "mcp-filesystem", Set([OutputSanitizationSettings.Stage.invisible])),
            ("zscaler.yaml", "/bin/sh", Set(OutputSanitizationSettings.Stage.allCases)),
        ])
    func shippedExamples(_ name: String, program: String, stages: Set<OutputSanitizationSettings.Stage>) throws {
        let loaded = try ConfigurationReader.read(
            configPath: Self.shippedFolder + name, dotenvPath: nil, environment: [:], homeDirectory: "/home/u",
            mode: .start)
        #expect(loaded.warnings.isEmpty)
        #expect(loaded.settings.upstream.command.first == program)
        #expect(loaded.settings.outputSanitization?.stages == stages)
        #expect(loaded.settings.toolAllowlists.map(\.mode) == [.allowlist])
    }

    @Test("the shipped Zscaler file hands over the credential that its drop-in loads, and none of its own")
    func shippedZscaler() throws {
        func settings(_ environment: [String: String]) throws -> Settings {
            try ConfigurationReader.read(
                configPath: Self.shippedFolder + "zscaler.yaml", dotenvPath: nil, environment: environment,
                homeDirectory: "/home/u", mode: .start
            ).settings
        }
        #expect(try settings([:]).upstream.command.last == "")
        let loaded = try settings(["CREDENTIALS_DIRECTORY": "/run/credentials/x"])
        #expect(loaded.upstream.command.last == "/run/credentials/x")
        #expect(loaded.upstream.environment == ["PYTHON_DOTENV_DISABLED": "1"])
        #expect(loaded.toolAllowlists.map(\.tools) == [["*_list_*", "*_get_*"]])
        #expect(loaded.fileAuditing.map(\.format) == [.json, .tool])
        #expect(loaded.journalAuditing != nil)
    }

    @Test("the commented lines of the shipped reference are valid settings too")
    func shippedComments() throws {
        let text = try String(
            decoding: ConfigurationSource(
                configPath: Self.shippedFolder + "gatekit.yaml", dotenvPath: nil
            ).config.bytes, as: UTF8.self)
        // A commented setting reads `# key: …` or `#   key: …` with a lower-case key of one word.
        var enabled = 0
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            let indentation = line.prefix { $0 == " " }
            let rest = line.dropFirst(indentation.count)
            guard rest.hasPrefix("# ") else { return String(line) }
            let content = rest.dropFirst(2)
            let key = content.drop { $0 == " " }.prefix { $0 != ":" }
            let isKey = !key.isEmpty && key.allSatisfy { $0.isLowercase || $0 == "_" || $0.isUppercase }
            guard isKey, content.contains(":"), Self.settingKeys.contains(String(key)) else { return String(line) }
            enabled += 1
            return String(indentation) + content
        }
        #expect(enabled == 37)
        let loaded = try ConfigurationFixture.read(lines.joined(separator: "\n"))
        #expect(loaded.settings.upstream.name == "filesystem")
        #expect(loaded.settings.redactedNames == ["iban"])
    }

    @Test("problems of both files are reported together, by file and position")
    func bothFiles() {
        let problems = ConfigurationFixture.problems(
            ConfigurationFixture.upstream("    era: old\n    name: ${FROM_DOTENV}\nlogging: 5\n"),
            dotenv: "FROM_DOTENV=x y\nB C\nGATEKIT_LOG_LEVEL=loud\n")
        #expect(
            problems == [
                "/etc/gatekit/.env:2: unexpected text after the name 'B' (valid: NAME=value, # comment)",
                "/etc/gatekit/.env:3: GATEKIT_LOG_LEVEL is no log level (valid: DEBUG, INFO, WARNING, ERROR)",
                "/etc/gatekit/test.yaml:4:10: unknown era 'old' (valid: auto, legacy, modern)",
                "/etc/gatekit/test.yaml:6:10: logging: expected a mapping, got a number",
            ])
    }

    @Test("a variable that may stand in a malformed line of .env is not called unset")
    func brokenDotenvHidesUnset() {
        let yaml = ConfigurationFixture.upstream("    name: ${NAME}\n")
        #expect(ConfigurationFixture.problems(yaml, dotenv: "NAME=\"x\" y\n").count == 1)
        #expect(
            ConfigurationFixture.problems(yaml, dotenv: "OTHER_NAME=x\n").first?.contains("NAME is not set") == true)
    }

    @Test("a home directory that is not known is a problem only where it is needed")
    func unknownHome() throws {
        func read(_ yaml: String) throws(ConfigurationError) -> LoadedConfiguration {
            let source = ConfigurationSource(config: .init(path: "/x.yaml", bytes: Array(yaml.utf8)), dotenv: nil)
            return try ConfigurationReader.read(source, environment: [:], homeDirectory: "", mode: .start)
        }
        #expect(try read(ConfigurationFixture.upstream()).settings.upstream.command == ["server"])
        for lines in [
            ConfigurationFixture.upstream(command: "server ~/x"), ConfigurationFixture.upstream("    cwd: ~/x\n"),
        ] {
            do throws(ConfigurationError) {
                _ = try read(lines)
                Issue.record("'~' was expanded to nothing")
            } catch {
                #expect(error.problems.map { $0.message.contains("the home directory is not known") } == [true])
            }
        }
    }

    @Test("a relative path names the file in problems and is made absolute in settings")
    func relativePath() throws {
        let source = ConfigurationSource(
            config: .init(path: "conf/x.yaml", bytes: Array(ConfigurationFixture.upstream().utf8)), dotenv: nil)
        let loaded = try ConfigurationReader.read(source, environment: [:], homeDirectory: "/", mode: .start)
        #expect(loaded.settings.configPath.hasPrefix("/"))
        #expect(loaded.settings.configPath.hasSuffix("/conf/x.yaml"))
    }

    @Test("at the start the process's environment beats .env, at a reload .env beats it")
    func precedence() throws {
        let yaml = ConfigurationFixture.upstream("    name: ${REGION}\n")
        let start = try ConfigurationFixture.read(yaml, dotenv: "REGION=us\n", mode: .start)
        let reload = try ConfigurationFixture.read(yaml, dotenv: "REGION=us\n", mode: .reload)
        let removed = try ConfigurationFixture.read(yaml, dotenv: "", mode: .reload)
        #expect(start.settings.upstream.name == "eu")
        #expect(reload.settings.upstream.name == "us")
        #expect(removed.settings.upstream.name == "eu")
        #expect(start.dotenvNames == ["REGION"])
        #expect(reload.environment["REGION"] == "us")
    }

    @Test("the log level of the environment beats the file's")
    func logLevel() throws {
        let yaml = ConfigurationFixture.upstream() + "logging: { level: ERROR }\n"
        #expect(try ConfigurationFixture.read(yaml).settings.logLevel == .error)
        let loaded = try ConfigurationFixture.read(yaml, environment: ["GATEKIT_LOG_LEVEL": " debug "])
        #expect(loaded.settings.logLevel == .debug)
    }

    @Test("the hash covers every file and nothing but their bytes")
    func hash() throws {
        let yaml = ConfigurationFixture.upstream()
        let alone = try ConfigurationFixture.read(yaml).configHash
        #expect(alone.count == 64)
        #expect(try ConfigurationFixture.read(Array(yaml.utf8), name: "other").configHash == alone)
        #expect(try ConfigurationFixture.read(yaml, dotenv: "").configHash != alone)
        #expect(try ConfigurationFixture.read(yaml + "#").configHash != alone)
        let shifted = try ConfigurationFixture.read(yaml + "#", dotenv: "A=1").configHash
        #expect(try ConfigurationFixture.read(yaml, dotenv: "#A=1").configHash != shifted)
    }

    static let shippedFolder = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/etc/"

    static let settingKeys: Set<String> = [
        "unix", "path", "mode", "group", "name", "env", "LOG_LEVEL", "inherit", "cwd", "era", "sessions",
        "restart_on_failure", "max_restart_attempts", "timeouts", "connection_timeout", "request_timeout",
        "idle_session_timeout", "shutdown_timeout", "limits", "max_message_bytes", "max_depth", "max_sessions",
        "max_pending_per_session", "redaction", "extra_names", "http", "host", "port", "allowed_origins",
        "allowed_hosts", "max_connections", "tokens_file", "tls", "certificate", "key",
    ]
}
