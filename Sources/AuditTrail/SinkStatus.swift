/// How a sink stands, for `status`, `STATUS=` and metrics.
public struct SinkStatus: Hashable, Sendable {
    /// The sink's file, resolved.
    public var path: String
    /// Records that the sink has taken since it was opened, AUDIT_START and AUDIT_GAP included.
    public var records: UInt64
    /// Bytes that the system has taken since the sink was opened.
    public var bytes: UInt64
    /// Whether a request that this sink records may pass. Always true of a sink that is not critical.
    public var isOpen: Bool
    /// Why the gate is closed, or what a sink that is not critical suffers from.
    public var reason: String?
    /// Events without a record since the last AUDIT_GAP was written.
    public var gapCount: UInt64
    /// Events without a record since the sink was opened.
    public var missing: UInt64
    /// The last thing that failed, also when it works again or harms nothing, such as a rotation.
    public var lastError: String?
}
