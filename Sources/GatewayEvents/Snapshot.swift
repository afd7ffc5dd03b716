public import GatewayConfiguration
public import ToolPolicy

/// Everything that a reload may change, as one immutable value.
///
/// A request takes the current snapshot once, at admission; that snapshot decides its policies, its redaction, the
/// sinks of both its records and their `config` value. A class, so that taking it is one reference count.
public final class Snapshot: Sendable {
    /// 1 for the configuration read at the start; each applied reload adds one.
    public let generation: Int
    /// The first 8 hex digits of the SHA-256 over every file that the configuration is made of.
    public let configHash: String
    /// `generation:hash8`, the audit's `config` value.
    public let label: String
    /// What the operator wrote.
    public let settings: Settings
    /// Whether each new session gets a process of its own.
    public var isDedicated: Bool { settings.upstream.sessions == .dedicated }
    /// What may run.
    public let policies: PolicyChain
    /// The environment of upstreams that are started under it, complete. Holds secrets: never print values.
    public let upstreamEnvironment: [String: String]

    /// Whether any sink prints what requests hold, so that events must carry it.
    public let recordsParams: Bool
    /// Whether any sink prints what results hold.
    public let recordsResults: Bool

    /// Joins a generation's parts.
    public init(
        generation: Int, configHash: String, settings: Settings, policies: PolicyChain,
        upstreamEnvironment: [String: String] = [:]
    ) {
        self.generation = generation
        self.configHash = configHash
        self.label = "\(generation):\(configHash)"
        self.settings = settings
        let journal = settings.journalAuditing
        let printing: Set<FileAuditingSettings.Format> = [.debug, .tool]
        let filesPrintParams = settings.fileAuditing.contains {
            $0.includeRequestBody || $0.mode == .tools || printing.contains($0.format)
        }
        let filesPrintResults = settings.fileAuditing.contains { $0.includeResponseBody || $0.format == .tool }
        recordsParams =
            filesPrintParams || settings.toolCallLog || journal?.format == .tool || journal?.mode == .tools
        recordsResults = filesPrintResults || settings.toolCallLog || journal?.format == .tool
        self.policies = policies
        self.upstreamEnvironment = upstreamEnvironment
    }
}
