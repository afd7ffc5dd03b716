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
    /// What may run.
    public let policies: PolicyChain

    /// Joins a generation's parts.
    public init(generation: Int, configHash: String, settings: Settings, policies: PolicyChain) {
        self.generation = generation
        self.configHash = configHash
        self.label = "\(generation):\(configHash)"
        self.settings = settings
        self.policies = policies
    }
}
