import GatewayConfiguration
import GatewayEvents

/// Where records go; every call comes on the loop. A file is one kind, with duties of its own: see ``FileSink``.
protocol AuditSink: AnyObject {
    /// What two settings have in common when they mean the same sink; shown by `status`.
    var name: String { get }
    /// The last sequence number given.
    var seq: UInt64 { get }

    /// Why a request can not be recorded now, which counts it as missing; nil when it may pass.
    func refusal() -> String?
    /// Takes one event.
    func record(_ event: AuditEvent, as role: RecordRole, redaction: Redaction)
    /// Takes the last record, behind the account of what is missing if anything is.
    func stop(_ reason: String)
    /// How the sink stands.
    var status: SinkStatus { get }
}

/// A sink that no file backs: nothing waits for its writes, and it can not fail to open.
protocol StreamSink: AuditSink {
    /// Whether bytes wait for ``commit()``.
    var hasPending: Bool { get }
    /// Takes the first record.
    func start(version: String)
    /// Writes what waits, at the end of a loop turn, as far as it can.
    func commit()
    /// Every 100 ms: tries again what failed.
    func tick()
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
