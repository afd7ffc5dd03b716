/// How a sink stands, for `status`, `STATUS=` and metrics.
public struct SinkStatus: Hashable, Sendable {
    /// What kind of place records go to.
    public enum Kind: String, Hashable, Sendable {
        case file, journal
        case toolCallLog = "tool-call log"
    }

    /// The file, resolved; `journal:` and the identifier; or `tool-call log` and where it goes.
    public var name: String
    /// What kind of place it is.
    public var kind: Kind
    /// Records that the sink has taken since it was opened, AUDIT_START and AUDIT_GAP included.
    public var records: UInt64
    /// Bytes that the system has taken since the sink was opened; of the journal, that its queue has taken.
    public var bytes: UInt64
    /// Bytes that wait to be written. Of the journal: in the queue that all its sinks and the log share.
    public var queuedBytes: Int
    /// Whether a request that this sink records may pass. Always true of a sink that is not critical.
    public var isOpen: Bool
    /// Why the gate is closed, or what a sink that is not critical suffers from.
    public var reason: String?
    /// Events without a record since the last AUDIT_GAP was written.
    public var gapCount: UInt64
    /// AUDIT_GAPs that were written, of the tool-call log: warnings.
    public var gaps: UInt64
    /// Events without a record since the sink was opened.
    public var missing: UInt64
    /// The last thing that failed, also when it works again or harms nothing, such as a rotation.
    public var lastError: String?

    /// Joins what is known of a sink.
    public init(
        name: String, kind: Kind, records: UInt64, bytes: UInt64, queuedBytes: Int, isOpen: Bool, reason: String?,
        gapCount: UInt64, gaps: UInt64, missing: UInt64, lastError: String?
    ) {
        self.name = name
        self.kind = kind
        self.records = records
        self.bytes = bytes
        self.queuedBytes = queuedBytes
        self.isOpen = isOpen
        self.reason = reason
        self.gapCount = gapCount
        self.gaps = gaps
        self.missing = missing
        self.lastError = lastError
    }
}
