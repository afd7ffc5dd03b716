public import Gateway
public import GatewayEvents

/// Counts what a gateway does, from the same events that the audit records.
///
/// Loop-confined, as everything that calls it. Bounded in size, and without an allocation for an event of a kind that
/// came before; see ``ToolTable``. Counters begin at 0 with the value, which is what Prometheus expects of a process.
public final class Metrics: GatewayObserver {
    /// The order in which directions are printed and counted.
    static let directions: [AuditEvent.Direction] = [.fromClient, .fromUpstream]
    static let results: [ReloadOutcome.Result] = [.applied, .unchanged, .refused]

    /// When it began to count, in nanoseconds since 1970.
    let began: Int64
    private(set) var tools = ToolTable()
    private(set) var operations = OperationTable()
    private(set) var heldToUpstream = Histogram.held
    private(set) var heldToClient = Histogram.held
    private(set) var sessions = SessionTable()
    private(set) var refusedConnections: UInt64 = 0
    private(set) var blocks = PolicyTable()
    private(set) var filteredTools: UInt64 = 0
    private(set) var serverRequests: UInt64 = 0
    /// By ``directions``.
    private(set) var notifications: [UInt64] = [0, 0]
    private(set) var invalidMessages: [UInt64] = [0, 0]
    private(set) var upstreamStarts: UInt64 = 0
    private(set) var upstreamRestarts: UInt64 = 0
    private(set) var upstreamExits: UInt64 = 0
    /// By ``results``.
    private(set) var reloads: [UInt64] = [0, 0, 0]

    /// `began` in nanoseconds since 1970.
    public init(began: Int64) {
        self.began = began
    }

    /// Counts an event; see ``GatewayObserver``.
    public func observe(_ event: AuditEvent) {
        switch event.kind {
        case .request: break
        case .response(let call, let outcome):
            let result = CallOutcome(outcome.failure)
            operations.record(call.method, result, nanoseconds: outcome.duration)
            if let tool = call.tool { tools.record(tool, result, nanoseconds: outcome.duration) }
        case .securityBlock(let call, let block):
            blocks.record(block.plugin)
            if let tool = call.tool { tools.block(tool) }
        case .toolsFiltered(_, _, let count): filteredTools += UInt64(max(0, count))
        case .notification(_, _, let direction, _): notifications[Self.index(direction)] += 1
        case .serverRequest: serverRequests += 1
        case .serverResponse: break
        case .invalidMessage(let direction, _, _, _): invalidMessages[Self.index(direction)] += 1
        case .sessionStart: sessions.begin(event.session, at: event.time)
        case .sessionEnd: sessions.end(event.session, at: event.time)
        case .upstreamStart(_, _, let restart):
            upstreamStarts += 1
            if restart > 0 { upstreamRestarts += 1 }
        case .upstreamExit: upstreamExits += 1
        case .configReload(let outcome, _):
            // All results are listed, so there is one.
            if let index = Self.results.firstIndex(of: outcome.result) { reloads[index] += 1 }
        }
    }

    /// Records how long messages were held; see ``GatewayObserver``.
    public func held(_ messages: Int, for nanoseconds: UInt64, _ way: HeldMessages.Way) {
        switch way {
        case .toUpstream: heldToUpstream.record(nanoseconds, times: UInt64(messages))
        case .toClient: heldToClient.record(nanoseconds, times: UInt64(messages))
        }
    }

    /// Counts a client that was not let in.
    public func connectionRefused() {
        refusedConnections += 1
    }

    private static func index(_ direction: AuditEvent.Direction) -> Int {
        direction == .fromClient ? 0 : 1
    }
}
