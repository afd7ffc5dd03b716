public import GatewayConfiguration
public import GatewayEvents
internal import ToolPolicy
public import Upstream

/// From what the operator wrote to what the gateway runs on. Pure.
public enum SnapshotAssembly {
    /// The snapshot of one generation, complete: nothing of it is looked up later.
    public static func snapshot(of loaded: LoadedConfiguration, generation: Int) -> Snapshot {
        let settings = loaded.settings
        return Snapshot(
            generation: generation, configHash: loaded.shortHash, settings: settings,
            policies: PolicyChain(policies(of: settings), maxDepth: settings.limits.maxDepth),
            upstreamEnvironment: loaded.upstreamEnvironment())
    }

    /// The sanitiser comes last: it reads what the others left.
    private static func policies(of settings: Settings) -> [any Policy] {
        let allowlists: [any Policy] = settings.toolAllowlists.map(ToolAllowlist.init)
        return allowlists + (settings.outputSanitization.map { [OutputSanitization($0)] } ?? [])
    }

    /// How an upstream is started under a snapshot. `workingDirectory` is the gateway's own, for an upstream without
    /// `cwd`.
    public static func launchPlan(of snapshot: Snapshot, workingDirectory: String) -> LaunchPlan {
        // The reader refuses an empty command.
        let command = snapshot.settings.upstream.command
        return LaunchPlan(
            program: command[0], arguments: Array(command.dropFirst()), environment: snapshot.upstreamEnvironment,
            workingDirectory: snapshot.settings.upstream.workingDirectory ?? workingDirectory)
    }

    /// How often an upstream is started again: a lone stdio client is told after three tries, a daemon goes on.
    public static func restartPolicy(of snapshot: Snapshot) -> RestartPolicy {
        let upstream = snapshot.settings.upstream
        guard upstream.restartOnFailure else { return .never }
        return snapshot.settings.transports == [.stdio]
            ? .session(attempts: upstream.maxRestartAttempts) : .daemon(attempts: upstream.maxRestartAttempts)
    }
}

extension LoadedConfiguration {
    /// The first 8 hex digits of ``configHash``, as records and `status` name it.
    public var shortHash: String { String(configHash.prefix(8)) }
}
