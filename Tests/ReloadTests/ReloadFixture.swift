import GatewayEvents

@testable import GatewayConfiguration
@testable import Reload

/// Configurations as a reload reads them: no disk, a fixed environment.
enum ReloadFixture {
    static let environment = ["HOME": "/home/u", "PATH": "/usr/bin"]

    /// A valid file: `upstream` are the lines below `proxy.upstream`, `more` what follows them.
    static func loaded(
        upstream: [String] = ["command: server"], more: String = "", dotenv: String? = nil,
        environment: [String: String] = environment, mode: ConfigurationReader.Occasion = .reload
    ) throws -> LoadedConfiguration {
        let yaml = "proxy:\n  upstream:\n" + upstream.map { "    \($0)\n" }.joined() + more
        let source = ConfigurationSource(
            config: .init(path: "/etc/gatekit/gatekit.yaml", bytes: Array(yaml.utf8)),
            dotenv: dotenv.map { .init(path: "/etc/gatekit/.env", bytes: Array($0.utf8)) })
        return try ConfigurationReader.read(source, environment: environment, homeDirectory: "/home/u", mode: mode)
    }

    static func candidate(
        _ loaded: LoadedConfiguration, flags: CommandLineFlags = CommandLineFlags(),
        source: EnvironmentSource = .none, notes: [String] = []
    ) -> Candidate {
        var applied = loaded
        flags.apply(to: &applied.settings)
        return Candidate(
            loaded: applied, written: loaded.settings, flags: flags, environmentSource: source, notes: notes)
    }

    /// A configuration that differs from the plain one by a limit, which replaces nothing.
    static func limited(_ sessions: Int) throws -> Candidate {
        candidate(try loaded(more: "  limits: { max_sessions: \(sessions) }\n"))
    }
}
