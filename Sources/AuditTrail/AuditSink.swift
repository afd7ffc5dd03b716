import GatewayConfiguration
import GatewayEvents

/// Where records go. A file is one kind; every call comes on the loop.
protocol AuditSink: AnyObject {
    /// What two settings have in common when they mean the same sink.
    var path: String { get }
    /// The last sequence number given.
    var seq: UInt64 { get }
    /// Whether bytes wait to be written.
    var hasPending: Bool { get }
    /// When the bytes that wait must be written, in monotonic nanoseconds; nil when the next commit writes them.
    var nextFlush: UInt64? { get }

    /// Why a request can not be recorded now, which counts it as missing; nil when it may pass.
    func refusal() -> String?
    /// Takes one event.
    func record(_ event: AuditEvent, as role: RecordRole, redaction: Redaction)
    /// Takes a record about the sink itself.
    func record(_ kind: SinkNotice.Kind)
    /// Writes what waits, at the end of a loop turn. False when nothing may be forwarded or delivered.
    func commit() -> Bool
    /// What has to be synced for the requests taken since the last call; nil when none has to be waited for.
    func takeSync() -> [SyncTarget]?
    /// A sync of this sink has ended with an errno, or 0. Whether it must be tried again.
    func syncEnded(_ code: Int32) -> Bool
    /// Every 100 ms: tries again what failed. `inspects` is true about once a second.
    func tick(inspects: Bool)
    /// Opens the path anew.
    func reopen()
    /// Writes all that can be written and gives room back; false when bytes are left.
    func finish() -> Bool
    /// Brings everything to the disk, on this thread.
    func synchronize()
    /// How the sink stands.
    var status: SinkStatus { get }
}

/// What an event means for a sink's reserve.
enum RecordRole {
    /// A request that passed the gate: its record has its place, and keeps one for its response.
    case admitted
    /// The response to such a request, in the place that was kept.
    case answer
    /// Everything else: never in the reserve. Without room beyond it, the event is counted as missing.
    case free
}

extension FileAuditingSettings.Mode {
    /// Whether a sink of this mode records `kind`, and as what; nil when it does not.
    ///
    /// Mode `security` records responses that failed, but gates no request: it records none.
    func role(of kind: AuditEvent.Kind) -> RecordRole? {
        switch kind {
        case .request(let call, _): gates(call.method) ? .admitted : takes(call.method) ? .free : nil
        case .response(let call, let outcome):
            if gates(call.method) {
                .answer
            } else if self == .security {
                outcome.failure == nil ? nil : .free
            } else {
                takes(call.method) ? .free : nil
            }
        case .securityBlock(let call, _):
            self == .all || self == .security || self == .tools && call.isToolCall ? .free : nil
        case .serverRequest: self == .all || self == .operations ? .free : nil
        case .serverResponse(_, let outcome):
            self == .all || self == .operations || self == .security && outcome.failure != nil ? .free : nil
        case .notification: self == .all ? .free : nil
        case .toolsFiltered, .invalidMessage, .sessionStart, .sessionEnd, .upstreamStart, .upstreamExit, .configReload:
            self == .all || self == .security ? .free : nil
        }
    }

    /// Whether a critical sink of this mode refuses a request that it can not record. `ping` always passes.
    func gates(_ method: String) -> Bool {
        takes(method) && method != "ping"
    }

    private func takes(_ method: String) -> Bool {
        switch self {
        case .all, .operations: true
        case .tools: method == "tools/call"
        case .security: false
        }
    }
}
