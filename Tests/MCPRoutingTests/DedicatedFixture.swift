import GatewayConfiguration

@testable import MCPRouting

extension RouterHarness {
    static func dedicatedSettings(
        _ sessions: SessionSharing = .dedicated, max: Int = 16, era: UpstreamEra = .legacy
    ) -> Settings {
        settings {
            $0.upstream.sessions = sessions
            $0.upstream.maxDedicated = max
            $0.upstream.era = era
        }
    }

    /// A router in dedicated mode whose start has been proved.
    static func dedicated(max: Int = 16) -> RouterHarness {
        let harness = RouterHarness(dedicatedSettings(max: max))
        harness.start(harness.shared, capabilities: "{}")
        return harness
    }
}
