import Testing

@testable import GatewayConfiguration

@Suite("GatewaySwitches")
struct GatewaySwitchesTests {
    @Test(
        "words for on and off count in any case and trimmed",
        arguments: [
            ("true", true), ("1", true), (" YES ", true), ("On\n", true), ("false", false), ("0", false), ("No", false),
            ("\toff", false), ("", nil), ("2", nil), ("enabled", nil), ("tru", nil),
        ] as [(String, Bool?)])
    func boolean(_ text: String, _ expected: Bool?) {
        #expect(GatewaySwitches.boolean(text) == expected)
    }

    @Test(
        "a wrong value is a problem where it stands, without the value",
        arguments: [
            (ConfigurationReader.Occasion.start, "ZSCALER_MCP_DISABLE_OUTPUT_SANITIZATION=\n"),
            (.reload, "ZSCALER_MCP_DISABLE_OUTPUT_SANITIZATION=hunter2\n"),
        ])
    func wrongValue(_ mode: ConfigurationReader.Occasion, _ dotenv: String) {
        let problems = ConfigurationFixture.problems(
            ConfigurationFixture.upstream(), dotenv: "A=1\n" + dotenv, mode: mode)
        #expect(
            problems == [
                "/etc/gatekit/.env:2: ZSCALER_MCP_DISABLE_OUTPUT_SANITIZATION is neither on nor off "
                    + "(valid: true, 1, yes, on, false, 0, no, off)"
            ])
    }

    @Test("a wrong value in the process's environment is a problem even where .env would win")
    func wrongEnvironment() {
        let problems = ConfigurationFixture.problems(
            ConfigurationFixture.upstream(), dotenv: "GATEKIT_LOG_LEVEL=INFO\n",
            environment: ["GATEKIT_LOG_LEVEL": "loud"], mode: .reload)
        #expect(problems == ["environment: GATEKIT_LOG_LEVEL is no log level (valid: DEBUG, INFO, WARNING, ERROR)"])
    }

    @Test("the process's switch wins at the start, the file's at a reload, under either of its names")
    func precedence() throws {
        func logged(_ mode: ConfigurationReader.Occasion) -> Bool? {
            let layers = [
                GatewaySwitches.Layer(variables: ["GATEKIT_LOG_TOOL_CALLS": "off"]) { _ in ("environment", nil) },
                GatewaySwitches.Layer(variables: ["ZSCALER_MCP_LOG_TOOL_CALLS": "on"]) { _ in (".env", 1) },
            ]
            var problems: [ConfigurationProblem] = []
            let switches = GatewaySwitches(layers: mode == .start ? layers : layers.reversed(), problems: &problems)
            #expect(problems.isEmpty)
            return switches.logToolCalls
        }
        #expect(logged(.start) == false)
        #expect(logged(.reload) == true)
    }

    @Test("two names of one switch that disagree are a problem")
    func disagreement() {
        let problems = ConfigurationFixture.problems(
            ConfigurationFixture.upstream(), dotenv: "ZSCALER_MCP_LOG_TOOL_CALLS=0\nGATEKIT_LOG_TOOL_CALLS=1\n")
        #expect(problems.count == 1)
        #expect(problems.first?.contains("/etc/gatekit/.env:2: ") == true)
        #expect(problems.first?.contains("disagree") == true)
    }

    @Test("a switch without a value in .env is a problem, another name alone a warning")
    func nameAlone() throws {
        let yaml = ConfigurationFixture.upstream()
        #expect(
            ConfigurationFixture.problems(yaml, dotenv: "ZSCALER_MCP_LOG_TOOL_CALLS\n")
                == ["/etc/gatekit/.env:1: ZSCALER_MCP_LOG_TOOL_CALLS stands without '=' and sets nothing"])
        let loaded = try ConfigurationFixture.read(yaml, dotenv: "export\n")
        #expect(
            loaded.warnings.map(\.description) == ["/etc/gatekit/.env:1: export stands without '=' and sets nothing"])
    }

    @Test(
        "the tool-call log is off until a switch turns it on, and .env turns it on and off at a reload",
        arguments: [
            ("A=1\n", [:], false, false), ("GATEKIT_LOG_TOOL_CALLS= Yes \n", [:], true, true),
            ("", ["ZSCALER_MCP_LOG_TOOL_CALLS": "1"], true, true),
            ("ZSCALER_MCP_LOG_TOOL_CALLS=true\n", ["GATEKIT_LOG_TOOL_CALLS": "off"], false, true),
            ("GATEKIT_LOG_TOOL_CALLS=off\n", ["ZSCALER_MCP_LOG_TOOL_CALLS": "on"], true, false),
        ] as [(String, [String: String], Bool, Bool)])
    func toolCallLog(dotenv: String, environment: [String: String], atStart: Bool, atReload: Bool) throws {
        let yaml = ConfigurationFixture.upstream()
        let start = try ConfigurationFixture.read(yaml, dotenv: dotenv, environment: environment)
        let reload = try ConfigurationFixture.read(yaml, dotenv: dotenv, environment: environment, mode: .reload)
        #expect(start.settings.toolCallLog == atStart)
        #expect(reload.settings.toolCallLog == atReload)
        let changes = atStart == atReload ? [] : ["tool-call log: \(atStart ? "on -> off" : "off -> on")"]
        #expect(start.settings.changes(to: reload.settings) == changes)
    }

    @Test("paths count in the process's environment only")
    func paths() throws {
        let loaded = try ConfigurationFixture.read(
            ConfigurationFixture.upstream(), dotenv: "GATEKIT_CONFIG=/b\nZSCALER_MCP_PID_FILE=/p\n",
            environment: ["ZSCALER_MCP_DOTENV_PATH": "/d"])
        #expect(loaded.switches.configPath == nil)
        #expect(loaded.switches.dotenvPath == "/d")
        #expect(loaded.switches.pidFile == "/p")
        #expect(loaded.warnings.map(\.line) == [1])
    }
}
