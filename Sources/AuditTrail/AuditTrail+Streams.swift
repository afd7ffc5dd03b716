import GatewayConfiguration
import GatewayEvents

/// The sinks that no file backs: the journal's and the tool-call log.
extension AuditTrail {
    /// The streams that `snapshot` routes to, opened where they are not. None of this can fail.
    func installStreams(
        _ snapshot: Snapshot
    ) -> [(sink: any AuditSink, mode: FileAuditingSettings.Mode)] {
        var routes: [(sink: any AuditSink, mode: FileAuditingSettings.Mode)] = []
        func open(_ sink: any StreamSink, _ mode: FileAuditingSettings.Mode) {
            streams.append(sink)
            sink.start(version: version)
            routes.append((sink, mode))
        }
        if let settings = snapshot.settings.journalAuditing {
            let name = JournalSink.name(settings)
            if let kept = streams.lazy.compactMap({ $0 as? JournalSink }).first(where: { $0.name == name }) {
                kept.adopt(settings, snapshot)
                routes.append((kept, settings.mode))
            } else {
                let sink = JournalSink(
                    settings, snapshot: snapshot, run: run, after: lastSeq[name] ?? 0, clock: clock, writer: journal)
                open(sink, settings.mode)
            }
        }
        if snapshot.settings.toolCallLog {
            if let waiting = stoppingStreams.first(where: { $0.status.kind == .toolCallLog }) {
                // Its last lines are not written yet, and those to come go behind them.
                stoppingStreams.removeAll { $0 === waiting }
                streams.append(waiting)
            }
            if let kept = streams.first(where: { $0.status.kind == .toolCallLog }) {
                (kept as? JournalSink)?.follow(snapshot)
                routes.append((kept, .tools))
            } else {
                open(toolCallLogSink(snapshot), .tools)
            }
        }
        return routes
    }

    /// Goes on writing what streams that are not configured any more have not got rid of.
    func finishStoppingStreams() {
        for sink in stoppingStreams { sink.commit() }
        stoppingStreams.removeAll { !$0.hasPending }
    }

    private func toolCallLogSink(_ snapshot: Snapshot) -> any StreamSink {
        switch toolCallLog {
        case .journal:
            JournalSink(
                toolCallLogOf: snapshot, run: run, after: lastSeq[JournalSink.toolCallLogName] ?? 0, clock: clock,
                writer: journal)
        case .stderr(let write):
            ToolCallLogSink(run: run, after: lastSeq[ToolCallLogSink.name] ?? 0, write: write)
        }
    }
}
