public import AuditTrail
public import Gateway
public import GatewayConfiguration
public import GatewayEvents

/// What a reload acts on: the running gateway with its doors. Every call comes on the gateway loop, and so do the
/// completions.
public protocol ReloadTarget: AnyObject {
    /// A reload begins: systemd is told.
    func reloadBegan()
    /// Reads the configuration away from the loop.
    func readConfiguration(_ completion: @escaping (Result<Candidate, Refusal>) -> Void)
    /// Opens the doors that `settings` adds, beside those that are open; completes with what the operator should know.
    func openDoors(_ settings: Settings, _ completion: @escaping (Result<[String], DoorRefusal>) -> Void)
    /// Closes the doors that are not wanted any more, after a swap; or, when `isRefused`, those just opened.
    func settleDoors(isRefused: Bool)
    /// ``Gateway/Gateway/adopt(_:replacesUpstream:_:)``.
    func adopt(
        _ next: Snapshot, replacesUpstream: Bool, _ completion: @escaping (Result<Adoption, AdoptionFailure>) -> Void)
    /// ``Gateway/Gateway/checkSinks()``.
    func checkSinks() throws(AuditError)
    /// The end, within the swap: the audit, the log, systemd and the control channel are told. `former` is the snapshot
    /// that was in force before.
    func reloadEnded(_ outcome: ReloadOutcome, former: Snapshot, loaded: LoadedConfiguration)
}

/// Why a door could not be opened.
public struct DoorRefusal: Error, Hashable, Sendable {
    /// Names the door and the reason.
    public var reason: String

    /// Takes the reason.
    public init(_ reason: String) {
        self.reason = reason
    }
}
