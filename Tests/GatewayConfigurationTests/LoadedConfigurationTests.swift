import Testing

@testable import GatewayConfiguration

@Suite("LoadedConfiguration")
struct LoadedConfigurationTests {
    @Test("the upstream sees base names, inherited ones, .env and its own, the last winning")
    func upstreamEnvironment() throws {
        let loaded = try ConfigurationFixture.read(
            ConfigurationFixture.upstream("    env: { OWN: own, BOTH: own }\n    inherit: [NODE_*, \"REG?ON\"]\n"),
            dotenv: "BOTH=file\nFROM_FILE=file\nOTHER=file\nGATEKIT_LOG_LEVEL=INFO\n")
        #expect(
            loaded.upstreamEnvironment() == [
                "HOME": "/home/u", "PATH": "/usr/bin", "LC_ALL": "C.UTF-8", "NODE_ENV": "test", "REGION": "eu",
                "FROM_FILE": "file", "OTHER": "x", "OWN": "own", "BOTH": "own",
            ])
    }

    @Test("at a reload the file's value reaches the upstream")
    func upstreamEnvironmentAtReload() throws {
        let loaded = try ConfigurationFixture.read(
            ConfigurationFixture.upstream(), dotenv: "OTHER=file\nPATH=/bin\n", mode: .reload)
        #expect(loaded.upstreamEnvironment()["OTHER"] == "file")
        #expect(loaded.upstreamEnvironment()["PATH"] == "/bin")
    }

    @Test("no switch reaches the upstream, whatever is inherited")
    func noSwitches() throws {
        var environment = Dictionary(uniqueKeysWithValues: GatewaySwitches.names.map { ($0, "off") })
        environment["GATEKIT_LOG_LEVEL"] = "INFO"
        environment["GATEKIT_OTHER"] = "1"
        let loaded = try ConfigurationFixture.read(
            ConfigurationFixture.upstream("    inherit: [\"*\"]\n"), environment: environment)
        #expect(loaded.upstreamEnvironment() == ["GATEKIT_OTHER": "1"])
    }

    @Test("changes name variables and never show their values")
    func changes() throws {
        let old = try ConfigurationFixture.read(
            ConfigurationFixture.upstream("    env: { TOKEN: old }\n    inherit: [REGION]\n"), dotenv: "A=1\nB=1\n")
        let new = try ConfigurationFixture.read(
            ConfigurationFixture.upstream("    env: { TOKEN: new }\n"), dotenv: "A=2\nB=1\n", mode: .reload)
        #expect(
            old.changes(to: new) == [
                "upstream.inherit removed", "upstream.env changed", "upstream environment: A, REGION",
            ])
        #expect(old.changes(to: old) == [])
    }
}

@Suite("Glob")
struct GlobTests {
    @Test(
        "a pattern matches whole names",
        arguments: [
            ("A", "A", true), ("A", "AB", false), ("*", "", true), ("LC_*", "LC_ALL", true), ("LC_*", "XLC_ALL", false),
            ("?", "", false), ("A?C", "ABC", true), ("*A*B", "xAyAzB", true), ("*A*B", "xAyAzBc", false),
            ("a", "A", false),
            ("**", "x", true), ("A*?", "A", false),
        ])
    func matches(_ pattern: String, _ name: String, _ expected: Bool) {
        #expect(Glob(pattern).matches(name) == expected)
    }

    @Test("a pattern of many stars is decided without trying every way")
    func noBlowUp() {
        #expect(!Glob(String(repeating: "*A", count: 200) + "B").matches(String(repeating: "A", count: 5000)))
    }
}
