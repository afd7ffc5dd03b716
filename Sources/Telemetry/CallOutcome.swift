internal import GatewayEvents

/// What became of a request, in few enough words to be a label.
enum CallOutcome: Int, CaseIterable, Sendable {
    case success, toolError, blocked, cancelled, timeout, upstreamUnavailable, upstreamExited, connectionLost,
        overloaded
    case tooLarge, shuttingDown, invalidParams, methodNotFound, internalError, other

    /// As the label reads. `tool_error` and `_OTHER` are OpenTelemetry's words, as is a JSON-RPC code for itself; the
    /// gateway's own reasons are the words of `data.reason`.
    var label: String {
        switch self {
        case .success: "success"
        case .toolError: "tool_error"
        case .blocked: "blocked"
        case .cancelled: "cancelled"
        case .timeout: "timeout"
        case .upstreamUnavailable: "upstream_unavailable"
        case .upstreamExited: "upstream_exited"
        case .connectionLost: "connection_lost"
        case .overloaded: "overloaded"
        case .tooLarge: "too_large"
        case .shuttingDown: "shutting_down"
        case .invalidParams: "-32602"
        case .methodNotFound: "-32601"
        case .internalError: "-32603"
        case .other: "_OTHER"
        }
    }

    /// How many there are.
    static let count = allCases.count

    /// Every one as a label, by raw value.
    static let labels = allCases.map { MetricLabels("outcome", $0.label) }

    /// The gateway's own reasons.
    private static let ofReason: [String: CallOutcome] = Dictionary(
        uniqueKeysWithValues: [
            cancelled, timeout, upstreamUnavailable, upstreamExited, connectionLost, overloaded, tooLarge, shuttingDown,
        ].map { ($0.label, $0) })

    init(_ failure: AuditEvent.Failure?) {
        guard let failure else {
            self = .success
            return
        }
        if let reason = failure.reason {
            self = Self.ofReason[reason] ?? .other
            return
        }
        switch failure.code {
        case nil: self = .toolError
        case -32602: self = .invalidParams
        case -32601: self = .methodNotFound
        case -32603: self = .internalError
        default: self = .other
        }
    }
}
