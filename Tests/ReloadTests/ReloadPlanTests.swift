import Testing

@testable import GatewayConfiguration
@testable import Reload

@Suite("What a newer configuration means for what runs")
struct ReloadPlanTests {
    /// One edit of the files.
    struct Edit: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var upstream = ["command: server", "env: { A: one }", "inherit: [OTHER]"]
        var more = ""
        var dotenv: String? = "KEY=1\n"
        var replaces: Bool
        /// Part of one of the phrases; nil where there are none at all.
        var phrase: String?
    }

    static let environment = ReloadFixture.environment.merging(["OTHER": "x", "NODE_ENV": "test"]) { $1 }

    static let edits = [
        Edit(testDescription: "nothing", replaces: false, phrase: nil),
        Edit(
            testDescription: "the command", upstream: ["command: server -v", "env: { A: one }", "inherit: [OTHER]"],
            replaces: true, phrase: "command"),
        Edit(
            testDescription: "the working directory",
            upstream: ["command: server", "env: { A: one }", "inherit: [OTHER]", "cwd: /srv"],
            replaces: true, phrase: "cwd"),
        Edit(
            testDescription: "the era",
            upstream: ["command: server", "env: { A: one }", "inherit: [OTHER]", "era: modern"],
            replaces: true, phrase: "era"),
        Edit(
            testDescription: "a value of env", upstream: ["command: server", "env: { A: two }", "inherit: [OTHER]"],
            replaces: true, phrase: "env"),
        Edit(
            testDescription: "a variable of .env", dotenv: "KEY=2\n", replaces: true,
            phrase: "upstream environment: KEY"),
        Edit(
            testDescription: "one more variable in .env", dotenv: "KEY=1\nNEW=1\n", replaces: true,
            phrase: "upstream environment: NEW"),
        Edit(
            testDescription: "a variable taken from .env", dotenv: "", replaces: true,
            phrase: "upstream environment: KEY"),
        Edit(
            testDescription: "inherit that lets one more through",
            upstream: ["command: server", "env: { A: one }", "inherit: [OTHER, NODE_ENV]"], replaces: true,
            phrase: "NODE_ENV"),
        Edit(
            testDescription: "a gateway switch in .env", dotenv: "KEY=1\nZSCALER_MCP_DISABLE_OUTPUT_SANITIZATION=0\n",
            replaces: false,
            phrase: ""),
        Edit(
            testDescription: "the log level's switch in .env", dotenv: "KEY=1\nGATEKIT_LOG_LEVEL=DEBUG\n",
            replaces: false, phrase: "logging.level"),
        Edit(
            testDescription: "a comment in .env", dotenv: "# why\nKEY=1\n", replaces: false,
            phrase: "the files differ, no setting does"),
        Edit(
            testDescription: "the name",
            upstream: ["command: server", "env: { A: one }", "inherit: [OTHER]", "name: fs"], replaces: false,
            phrase: "name"),
        Edit(
            testDescription: "a limit", more: "  limits: { max_sessions: 5 }\n", replaces: false,
            phrase: "max_sessions"),
        Edit(
            testDescription: "the allowlist",
            more:
                "plugins:\n  security:\n    - policy: tool_allowlist\n      config: { mode: allowlist, tools: [a] }\n",
            replaces: false, phrase: "tool_allowlist"),
        Edit(
            testDescription: "the door of HTTP", more: "  transport: http\n  http: { port: 9000 }\n", replaces: false,
            phrase: "proxy.http"),
        Edit(
            testDescription: "a time-out", more: "  timeouts: { request_timeout: 5 }\n", replaces: false,
            phrase: "request_timeout"),
    ]

    private func loaded(_ edit: Edit) throws -> LoadedConfiguration {
        try ReloadFixture.loaded(
            upstream: edit.upstream, more: edit.more, dotenv: edit.dotenv, environment: Self.environment)
    }

    @Test("the upstream is replaced when its process would be another one, and only then", arguments: edits)
    func replaces(edit: Edit) throws {
        let current = try loaded(Edit(testDescription: "", replaces: false))
        let next = try loaded(edit)
        for (from, to) in [(current, next), (next, current)] {
            let plan = ReloadPlan(from: from, to: to)
            #expect(plan.replacesUpstream == edit.replaces)
            #expect(plan.isEmpty == (edit.phrase == nil))
            #expect(plan.changes.isEmpty == (edit.phrase == nil))
            if let phrase = edit.phrase, !phrase.isEmpty {
                #expect(plan.changes.contains { $0.contains(phrase) }, "\(plan.changes)")
            }
        }
    }

    @Test("no phrase holds a value of the environment")
    func secrets() throws {
        let current = try ReloadFixture.loaded(
            upstream: ["command: server", "env: { A: hunter1 }"], dotenv: "B=hunter2\n")
        let next = try ReloadFixture.loaded(
            upstream: ["command: server", "env: { A: hunter3 }"], dotenv: "B=hunter4\n")
        let changes = ReloadPlan(from: current, to: next).changes
        #expect(!changes.isEmpty)
        #expect(!changes.contains { $0.contains("hunter") }, "\(changes)")
    }

    @Test("equal bytes are no empty plan when the start had let the process's environment win")
    func precedence() throws {
        let start = try ReloadFixture.loaded(dotenv: "PATH=/opt\n", mode: .start)
        let reload = try ReloadFixture.loaded(dotenv: "PATH=/opt\n", mode: .reload)
        let plan = ReloadPlan(from: start, to: reload)
        #expect(start.configHash == reload.configHash)
        #expect(!plan.isEmpty)
        #expect(plan.replacesUpstream)
        #expect(plan.changes == ["upstream environment: PATH"])
    }
}
