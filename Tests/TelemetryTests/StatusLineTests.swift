import AuditTrail
import GatewayConfiguration
import GatewayEvents
import MCPRouting
import Telemetry
import Testing
import ToolPolicy

@testable import Gateway

@Suite("The status line")
struct StatusLineTests {
    private static func line(
        upstream: UpstreamStatus.State = .ready, reason: String? = nil, reload: ReloadOutcome? = nil
    ) -> String {
        StatusLine(
            counts: Router(snapshot: snapshot, version: "1").counts, label: snapshot.label,
            upstream: UpstreamStatus(state: upstream, reason: reason, pid: 7, restarts: 0, revision: nil), sinks: [],
            lastReload: reload
        ).text
    }

    private static var snapshot: Snapshot {
        Snapshot(
            generation: 3, configHash: "abcd1234",
            settings: .init(upstream: .init(command: ["true"]), configPath: "/c"),
            policies: .init())
    }

    private static func outcome(_ result: ReloadOutcome.Result, problems: [String] = []) -> ReloadOutcome {
        ReloadOutcome(
            result: result, began: 0, time: 0, duration: 0, generation: 3, configHash: "abcd1234",
            candidateHash: "abcd1234", problems: problems, environmentSource: .none)
    }

    @Test("says how much is going on under which configuration")
    func quiet() {
        #expect(Self.line() == "0 sessions, 0 calls in flight; configuration 3:abcd1234")
        #expect(
            Self.line(reload: Self.outcome(.applied))
                == "0 sessions, 0 calls in flight; configuration 3:abcd1234, last reload applied")
    }

    @Test("begins with what is wrong")
    func trouble() {
        #expect(
            Self.line(
                upstream: .failed, reason: "exited with exit 3",
                reload: Self.outcome(.refused, problems: ["f:1:2: x", "y"]))
                == "upstream failed: exited with exit 3; last reload refused: f:1:2: x (and 1 more); "
                + "0 sessions, 0 calls in flight; configuration 3:abcd1234")
    }
}
