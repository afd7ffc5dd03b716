import Testing

@testable import GatewayConfiguration

@Suite("ConfigurationSearch")
struct ConfigurationSearchTests {
    @Test(
        "the places are tried in the fixed order, zscaler.yaml first for that name",
        arguments: [
            ("gatekit", ["/w/gatekit.yaml", "/h/.config/gatekit/config.yaml", "/etc/gatekit/gatekit.yaml"]),
            (
                "/usr/bin/zscaler-mcp",
                [
                    "/w/zscaler.yaml", "/h/.config/gatekit/zscaler.yaml", "/etc/gatekit/zscaler.yaml",
                    "/w/gatekit.yaml",
                    "/h/.config/gatekit/config.yaml", "/etc/gatekit/gatekit.yaml",
                ]
            ),
        ])
    func places(_ program: String, _ expected: [String]) {
        #expect(
            ConfigurationSearch.places(invokedAs: program, workingDirectory: "/w", homeDirectory: "/h") == expected)
    }

    @Test("the first file that exists is found")
    func found() throws {
        let work = try TemporaryDirectory()
        let home = try TemporaryDirectory()
        func search() -> ConfigurationSearch {
            ConfigurationReader.search(invokedAs: "zscaler-mcp", workingDirectory: work.path, homeDirectory: home.path)
        }
        try home.makeDirectory(".config")
        try home.makeDirectory(".config/gatekit")
        let last = try home.write(".config/gatekit/config.yaml", [])
        #expect(search() == .found(last))
        let middle = try work.write("gatekit.yaml", [])
        #expect(search() == .found(middle))
        let first = try work.write("zscaler.yaml", [])
        #expect(search() == .found(first))
    }

    @Test(".env is looked for beside the configuration, then in the working directory")
    func dotenv() throws {
        let work = try TemporaryDirectory()
        let config = try TemporaryDirectory()
        func dotenv() -> String? {
            ConfigurationSearch.dotenv(configPath: config.path + "/gatekit.yaml", workingDirectory: work.path)
        }
        #expect(dotenv() == nil)
        let here = try work.write(".env", [])
        #expect(dotenv() == here)
        let beside = try config.write(".env", [])
        #expect(dotenv() == beside)
        #expect(ConfigurationSearch.dotenv(configPath: "x.yaml", workingDirectory: work.path) == here)
    }
}
