import Testing

@testable import GatewayConfiguration

@Suite("Settings")
struct SettingsTests {
    private func settings(_ change: (inout Settings) -> Void = { _ in }) -> Settings {
        var settings = Settings(upstream: .init(command: ["server"]), configPath: "/etc/gatekit/gatekit.yaml")
        settings.toolAllowlists = [.init(mode: .allowlist, tools: ["a"])]
        settings.fileAuditing = [.init(outputFile: "/var/log/a.log")]
        change(&settings)
        return settings
    }

    /// A change and how it is told.
    struct Difference: Sendable {
        var change: @Sendable (inout Settings) -> Void
        var told: [String]

        init(_ told: [String], _ change: @escaping @Sendable (inout Settings) -> Void) {
            self.change = change
            self.told = told
        }
    }

    static let differences = [
        Difference(["limits.max_depth: 128 -> 64"]) { $0.limits.maxDepth = 64 },
        Difference(["timeouts.request_timeout: 60 s -> 1.5 s"]) { $0.timeouts.request = 1.5 },
        Difference(["upstream.env added: A"]) { $0.upstream.environment = ["A": "hunter2"] },
        Difference(["upstream.command changed"]) { $0.upstream.command = ["server", "-v"] },
        Difference(["file_auditing /var/log/a.log removed"]) { $0.fileAuditing = [] },
        Difference(["tool_allowlist 1 changed"]) { $0.toolAllowlists[0].blockMessage = "no" },
        Difference(["tool_allowlist 1: allowlist: a; priority 50 -> allowlist: a, b; priority 50"]) {
            $0.toolAllowlists[0].tools = ["a", "b"]
        },
        Difference(["file_auditing /var/log/a.log changed"]) { $0.fileAuditing[0].maxBodySize = 1 },
        Difference(["proxy.transport: stdio -> unix", "proxy.unix added: /run/gatekit/mcp.sock, mode 0660"]) {
            $0.transports = [.unix]
        },
        Difference(["proxy.http added: 127.0.0.1:8080/mcp, at most 2048 connections"]) { $0.http = HTTPDoorSettings() },
        Difference([]) { _ in },
    ]

    @Test("changes name what differs, with values where they are no secret", arguments: differences)
    func changes(_ difference: Difference) {
        #expect(settings().changes(to: settings(difference.change)) == difference.told)
    }

    static let doors: [(change: @Sendable (inout HTTPDoorSettings) -> Void, told: [String])] = [
        (
            { $0.host = "::1" },
            [
                "proxy.http: 127.0.0.1:8080/mcp, at most 2048 connections -> [::1]:8080/mcp, at most 2048 connections"
            ]
        ),
        ({ $0.allowedOrigins = ["null"] }, ["proxy.http.allowed_origins added: null"]),
        ({ $0.allowedHosts = ["a"] }, ["proxy.http.allowed_hosts added: a"]),
        ({ $0.tokens?["carol"] = TokenDigest(of: "c".utf8) }, ["proxy.http tokens added: carol"]),
        ({ $0.tokens?["bob"] = nil }, ["proxy.http tokens removed: bob"]),
        ({ $0.tokens?["bob"] = TokenDigest(of: "c".utf8) }, ["proxy.http tokens changed: bob"]),
        (
            { $0.tokens = ["zed": TokenDigest(of: "a".utf8)] },
            [
                "proxy.http tokens added: zed", "proxy.http tokens removed: alice, bob",
            ]
        ),
        ({ $0.tokens = nil }, ["proxy.http tokens removed"]),
        ({ $0.tls?.certificate = [2] }, ["proxy.http.tls changed"]),
        ({ $0.tls?.key = SecretBytes([2]) }, ["proxy.http.tls changed"]),
        ({ $0.tls = nil }, ["proxy.http.tls removed"]),
        ({ _ in }, []),
    ]

    @Test("changes of the HTTP door name tokens and files, never what is in them", arguments: doors.indices)
    func doorChanges(_ index: Int) {
        var door = HTTPDoorSettings()
        door.tokens = ["alice": TokenDigest(of: "a".utf8), "bob": TokenDigest(of: "b".utf8)]
        door.tls = TLSFiles(certificatePath: "/c", keyPath: "/k", certificate: [1], key: SecretBytes([1]))
        let old = settings { $0.http = door }
        let (change, told) = Self.doors[index]
        change(&door)
        #expect(old.changes(to: settings { $0.http = door }) == told)
    }

    @Test("neither a digest nor a key shows in any print of the settings")
    func doorSecrets() {
        var door = HTTPDoorSettings()
        door.tokens = ["alice": TokenDigest(of: "a".utf8)]
        door.tls = TLSFiles(certificatePath: "/c", keyPath: "/k", certificate: [1], key: SecretBytes([77, 78]))
        var dumped = ""
        dump(door, to: &dumped)
        for text in ["\(door)", String(reflecting: door), dumped] {
            #expect(!text.contains("77") && !text.contains("SIMD") && text.contains("alice"))
        }
    }

    @Test("whatever may be set shows as a change when it differs")
    func everyDifferenceShows() {
        let changes: [(inout Settings) -> Void] = [
            { $0.upstream.name = "x" }, { $0.upstream.inherit = ["X"] }, { $0.upstream.workingDirectory = "/x" },
            { $0.upstream.era = .legacy }, { $0.upstream.sessions = .dedicated }, { $0.upstream.maxDedicated = 1 },
            { $0.upstream.restartOnFailure = false }, { $0.upstream.maxRestartAttempts = 9 },
            { $0.timeouts.connection = 1 }, { $0.timeouts.idleSession = 0 }, { $0.timeouts.shutdown = 1 },
            { $0.limits.maxMessageBytes = 1 }, { $0.limits.maxSessions = 1 }, { $0.limits.maxPendingPerSession = 1 },
            { $0.toolAllowlists = [] }, { $0.fileAuditing[0].critical = false }, { $0.redactedNames = ["x"] },
            { $0.logLevel = .error }, { $0.http = HTTPDoorSettings() },
            { $0.journalAuditing = JournalAuditingSettings() },
            { $0.outputSanitization = nil }, { $0.configPath = "/x" },
        ]
        for (index, change) in changes.enumerated() {
            #expect(settings().changes(to: settings(change)).count == 1, "change \(index)")
        }
    }

    @Test(
        "words of a command that look like secrets are hidden",
        arguments: [
            (["a", "--api-key", "x", "y"], ["a", "--api-key", "***REDACTED***", "y"]),
            (["a", "--token=x"], ["a", "--token=***REDACTED***"]),
            (["a", "--keyring", "--verbose"], ["a", "--keyring", "--verbose"]),
            (["CLIENT_SECRET=x", "a"], ["CLIENT_SECRET=***REDACTED***", "a"]),
            (["a", "https://u:p@host/x?y"], ["a", "https://***REDACTED***@host/x?y"]),
            (["a", "https://host/x@y"], ["a", "https://host/x@y"]),
            (["a", "--header", "Authorization: Bearer x"], ["a", "--header", "Authorization: ***REDACTED***"]),
            (["npx", "@scope/monkey"], ["npx", "@scope/monkey"]),
        ])
    func secrets(_ words: [String], _ expected: [String]) {
        #expect(SecretWords.hidden(words) == expected)
    }

    @Test("a summary shows names of variables and references, never values")
    func summary() throws {
        let loaded = try ConfigurationFixture.read(
            ConfigurationFixture.upstream(
                "    env: { A: \"${SECRET_VALUE}\" }\n", command: "s ${SECRET_VALUE} \"x${SECRET_VALUE}\""))
        let summary = loaded.settings.summary().map { "\($0.key): \($0.value)" }
        #expect(loaded.settings.upstream.command == ["s", "hunter2", "xhunter2"])
        #expect(summary.contains("upstream.command: s '${SECRET_VALUE}' 'x${SECRET_VALUE}'"))
        #expect(summary.contains("upstream.env: A"))
        #expect(!summary.contains { $0.contains("hunter2") })
    }
}

@Suite("Nearest name")
struct NearestNameTests {
    @Test(
        "a slip of one or two letters is recognised, a different word is not",
        arguments: [
            ("comand", "command"), ("COMMAND", "command"), ("ommandd", "command"), ("cwdd", "cwd"), ("xyz", nil),
            ("", nil), (String(repeating: "c", count: 100_000), nil),
        ] as [(String, String?)])
    func nearest(_ name: String, _ expected: String?) {
        #expect(nearestName(to: name, among: ["command", "cwd", "era"]) == expected)
    }
}
