internal import GatewayConfiguration

/// What a newer configuration means for what runs.
struct ReloadPlan: Hashable {
    /// One phrase each, without secrets.
    let changes: [String]
    /// Whether the upstream's process has to be replaced: its command, directory, environment or era differs.
    let replacesUpstream: Bool
    /// Whether the files are the same bytes and mean the same.
    let isEmpty: Bool

    init(from current: LoadedConfiguration, to next: LoadedConfiguration) {
        let environment = (current.upstreamEnvironment(), next.upstreamEnvironment())
        replacesUpstream =
            current.settings.upstream.command != next.settings.upstream.command
            || current.settings.upstream.workingDirectory != next.settings.upstream.workingDirectory
            || current.settings.upstream.era != next.settings.upstream.era
            || environment.0 != environment.1
        let differs = current.settings != next.settings || replacesUpstream
        isEmpty = !differs && current.configHash == next.configHash
        let phrases = current.changes(to: next)
        changes = phrases.isEmpty && !isEmpty ? ["the files differ, no setting does"] : phrases
    }
}
