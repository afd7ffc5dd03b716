public import AuditTrail
public import Gateway
public import GatewayEvents
public import MCPRouting

/// What is not counted by events but looked up when metrics are scraped.
public struct MetricsSources: Sendable {
    /// Of the program.
    public var version: String
    /// What is going on in routing.
    public var counts: Router.Counts
    /// The snapshot in force.
    public var generation: Int
    /// The first 8 hex digits of its hash.
    public var configHash: String
    /// How the shared upstream stands.
    public var upstream: UpstreamStatus
    /// How each audit sink stands.
    public var sinks: [SinkStatus]
    /// The last reload, if there was one.
    public var lastReload: ReloadOutcome?
    /// Lines of the log that nobody read.
    public var droppedLogLines: UInt64

    /// Joins what is looked up.
    public init(
        version: String, counts: Router.Counts, generation: Int, configHash: String, upstream: UpstreamStatus,
        sinks: [SinkStatus], lastReload: ReloadOutcome?, droppedLogLines: UInt64
    ) {
        self.version = version
        self.counts = counts
        self.generation = generation
        self.configHash = configHash
        self.upstream = upstream
        self.sinks = sinks
        self.lastReload = lastReload
        self.droppedLogLines = droppedLogLines
    }
}
