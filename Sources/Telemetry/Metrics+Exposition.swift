internal import OutputSanitizer
internal import AuditTrail
internal import Gateway
internal import GatewayEvents
internal import MCPRouting

extension Metrics {
    /// Everything that was counted, and `sources` beside it, in Prometheus' text format. Linear in the number of tools
    /// that have a line of their own: with all 1,000 of them 270 KB and about a millisecond, the sending included.
    public func exposition(_ sources: MetricsSources) -> Exposition {
        var out = Exposition()
        writeCalls(to: &out)
        writeHeld(to: &out)
        writeSessions(sources, to: &out)
        writeMessages(sources, to: &out)
        writeUpstream(sources, to: &out)
        writeConfiguration(sources, to: &out)
        writeAudit(sources.sinks, to: &out)
        writeProgram(sources, to: &out)
        return out
    }

    private func writeCalls(to out: inout Exposition) {
        out.family(
            "mcp_server_operation_duration_seconds", .histogram,
            "How long clients' requests took, from admission to their end; by method, and by error if they failed.")
        operations.forEach { method, outcome, histogram in
            var labels = MetricLabels("mcp_method_name", method)
            if outcome != .success { labels = labels.adding("error_type", outcome.label) }
            out.sample(labels, histogram)
        }
        out.family("gatekit_tool_calls_total", .counter, "Calls of tools that have ended, by tool and outcome.")
        for tool in tools.tools {
            for outcome in CallOutcome.allCases where tool.outcomes[outcome.rawValue] > 0 {
                out.sample(tool.labels, CallOutcome.labels[outcome.rawValue], tool.outcomes[outcome.rawValue])
            }
        }
        out.family(
            "gatekit_tool_call_duration_seconds", .summary, "How long admitted calls of a tool took, all together.")
        for tool in tools.tools where tool.answered > 0 {
            out.sum(tool.labels, nanoseconds: tool.nanoseconds, count: tool.answered)
        }
    }

    private func writeHeld(to out: inout Exposition) {
        out.family(
            "gatekit_added_latency_seconds", .histogram,
            "How long the gateway itself held messages, from the loop turn that read them to their write.")
        out.sample(MetricLabels("direction", "to_upstream"), heldToUpstream)
        out.sample(MetricLabels("direction", "to_client"), heldToClient)
    }

    private func writeSessions(_ sources: MetricsSources, to out: inout Exposition) {
        out.single("gatekit_sessions", .gauge, "Connected clients.", sources.counts.sessions)
        out.family("gatekit_sessions_total", .counter, "Sessions that began, by transport.")
        for (index, transport) in SessionTable.transports.enumerated() {
            out.sample(MetricLabels("network_transport", transport), sessions.begun[index])
        }
        out.family(
            "mcp_server_session_duration_seconds", .histogram, "How long sessions lasted that have ended, by transport."
        )
        for (index, transport) in SessionTable.transports.enumerated() where sessions.begun[index] > 0 {
            out.sample(MetricLabels("network_transport", transport), sessions.ended[index])
        }
        out.single(
            "gatekit_refused_connections_total", .counter, "Clients that were not let in: too many, or at the end.",
            refusedConnections)
        out.single(
            "gatekit_calls_in_flight", .gauge, "Requests of clients that wait for an answer.", sources.counts.calls)
        out.single(
            "gatekit_pending_requests", .gauge,
            "All requests in flight: the gateway's own too, and cancelled ones that are not answered.",
            sources.counts.pending)
    }

    private func writeMessages(_ sources: MetricsSources, to out: inout Exposition) {
        out.family("gatekit_blocked_messages_total", .counter, "Messages that a policy refused, by policy.")
        for (name, count) in blocks.counts { out.sample(MetricLabels("policy", name), count) }
        out.single(
            "gatekit_filtered_tools_total", .counter, "Tools taken out of lists that clients asked for.", filteredTools)
        out.single(
            "gatekit_sanitized_responses_total", .counter, "Answers of tools that the sanitiser changed.",
            sources.counts.sanitizedResponses)
        out.family("gatekit_sanitized_total", .counter, "What the sanitiser took out of them, by its stages.")
        let removed = sources.counts.sanitized
        out.sample(MetricLabels("stage", "invisible"), UInt64(removed.invisible))
        out.sample(MetricLabels("stage", "markup"), UInt64(removed.markup))
        out.sample(MetricLabels("stage", "code_fences"), UInt64(removed.codeFences))
        out.single("gatekit_server_requests_total", .counter, "What upstreams asked clients.", serverRequests)
        out.family("gatekit_notifications_total", .counter, "Notifications, by who sent them.")
        writeDirections(notifications, to: &out)
        out.single(
            "gatekit_dropped_notifications_total", .counter,
            "Notifications of an upstream that no session was meant for without doubt.",
            sources.counts.droppedNotifications)
        out.family(
            "gatekit_invalid_messages_total", .counter, "Lines and bodies that are no message, by who sent them.")
        writeDirections(invalidMessages, to: &out)
    }

    private func writeDirections(_ counts: [UInt64], to out: inout Exposition) {
        for (index, direction) in Self.directions.enumerated() {
            out.sample(MetricLabels("from", direction.rawValue), counts[index])
        }
    }

    private func writeUpstream(_ sources: MetricsSources, to out: inout Exposition) {
        out.family("gatekit_upstream_state", .gauge, "1 for the state that the shared upstream is in.")
        for state in [UpstreamStatus.State.starting, .ready, .failed] {
            out.sample(MetricLabels("state", state.rawValue), sources.upstream.state == state ? 1 : 0)
        }
        out.single(
            "gatekit_own_upstreams", .gauge, "Upstream processes that belong to one session.",
            sources.counts.ownUpstreams)
        out.single("gatekit_upstream_starts_total", .counter, "Upstream processes that were started.", upstreamStarts)
        out.single(
            "gatekit_upstream_restarts_total", .counter, "Those of them that took the place of one that had ended.",
            upstreamRestarts)
        out.single(
            "gatekit_upstream_exits_total", .counter, "Upstream processes that ended or could not be started.",
            upstreamExits)
    }

    private func writeConfiguration(_ sources: MetricsSources, to out: inout Exposition) {
        out.single(
            "gatekit_config_generation", .gauge,
            "1 for the configuration of the start; every reload that applies adds one.",
            sources.generation)
        out.family("gatekit_config_info", .gauge, "The configuration in force.")
        out.sample(MetricLabels("hash", sources.configHash), 1)
        out.family("gatekit_reloads_total", .counter, "Reloads, by result.")
        for (index, result) in Self.results.enumerated() {
            out.sample(MetricLabels("result", result.rawValue), reloads[index])
        }
        out.single(
            "gatekit_config_last_reload_successful", .gauge, "0 when the last reload was refused.",
            sources.lastReload?.result == .refused ? 0 : 1)
    }

    private func writeAudit(_ sinks: [SinkStatus], to out: inout Exposition) {
        let labelled = sinks.map { (labels: MetricLabels("kind", $0.kind.rawValue).adding("sink", $0.name), sink: $0) }
        func family(
            _ name: String, _ kind: Exposition.Kind, _ help: String, _ value: (SinkStatus) -> UInt64
        ) {
            out.family("gatekit_audit_\(name)", kind, help)
            for (labels, sink) in labelled { out.sample(labels, value(sink)) }
        }
        family("records_total", .counter, "Records that a sink has taken.") { $0.records }
        family("bytes_total", .counter, "Bytes that a sink has taken.") { $0.bytes }
        family("queued_bytes", .gauge, "Bytes that wait to be written.") { UInt64(max(0, $0.queuedBytes)) }
        family("missing_total", .counter, "Events that a sink has no record of.") { $0.missing }
        family("gaps_total", .counter, "Accounts of missing records that a sink has taken.") { $0.gaps }
        family("open", .gauge, "1 when what the sink records may pass.") { $0.isOpen ? 1 : 0 }
    }

    private func writeProgram(_ sources: MetricsSources, to out: inout Exposition) {
        out.single(
            "gatekit_dropped_log_lines_total", .counter,
            "Lines of the log that were dropped since stderr was not read.",
            sources.droppedLogLines)
        out.family("gatekit_build_info", .gauge, "The program.")
        out.sample(MetricLabels("version", sources.version), 1)
        out.family("gatekit_metrics_start_time_seconds", .gauge, "Since when is counted, in seconds since 1970.")
        out.sample(nanoseconds: UInt64(max(0, began)))
    }
}
