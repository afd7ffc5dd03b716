/// A configuration that was read and found valid.
public struct LoadedConfiguration: Sendable {
    /// What the operator wrote, with `GATEKIT_LOG_LEVEL` and the switch of the tool-call log applied.
    public var settings: Settings
    /// The files and their bytes, as they were read.
    public var source: ConfigurationSource
    /// Full SHA-256 in lower-case hex over every file.
    public var configHash: String
    /// The process's environment with `.env` by the precedence of the occasion. Holds secrets: never print values.
    public var environment: [String: String]
    /// The names that `.env` sets, sorted.
    public var dotenvNames: [String]
    /// What the environment and `.env` say to the gateway itself.
    public var switches: GatewaySwitches
    /// What is valid and yet probably not meant, sorted by position.
    public var warnings: [ConfigurationProblem]
    /// Where `proxy.upstream.command` stands.
    var commandPosition: YAMLPosition?

    /// The upstream's whole environment: the base names and those of `inherit` from the process, what `.env` sets,
    /// then `proxy.upstream.env`, of which the last wins. Never holds one of the gateway's switches.
    ///
    /// A name that both the process and `.env` set has the value that ``environment`` gives it.
    public func upstreamEnvironment() -> [String: String] {
        let patterns = (Self.inheritedNames + settings.upstream.inherit).map(Glob.init)
        let dotenv = Set(dotenvNames)
        return
            environment
            .filter { name, _ in dotenv.contains(name) || patterns.contains { $0.matches(name) } }
            .merging(settings.upstream.environment) { _, fromSettings in fromSettings }
            .filter { name, _ in !GatewaySwitches.names.contains(name) }
    }

    /// What a newer configuration changes, one phrase each, without a value of any variable. Empty when nothing that
    /// matters differs, which may be so although ``configHash`` does (a comment was edited).
    public func changes(to newer: LoadedConfiguration) -> [String] {
        let old = upstreamEnvironment()
        let new = newer.upstreamEnvironment()
        // Those of `proxy.upstream.env` are named by the settings' own comparison.
        let own = Set(settings.upstream.environment.keys).union(newer.settings.upstream.environment.keys)
        let names = Set(old.keys).union(new.keys).subtracting(own).filter { old[$0] != new[$0] }.sorted()
        let environment =
            names.isEmpty ? [] : ["upstream environment: \(names.map(variableName).joined(separator: ", "))"]
        return settings.changes(to: newer.settings) + environment
    }

    private static let inheritedNames = [
        "HOME", "LOGNAME", "USER", "SHELL", "PATH", "TERM", "LANG", "LC_*", "TMPDIR", "XDG_*",
    ]
}
