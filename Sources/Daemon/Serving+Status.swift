internal import AuditTrail
internal import ControlPlane
internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import Glibc
internal import HTTPDoor
internal import LineDoors
internal import MCPRouting
internal import OutputSanitizer
internal import Reload
internal import Systemd
internal import Telemetry

/// What a running gateway says of itself.
extension Serving {
    /// For `systemctl status`.
    var statusText: String {
        StatusLine(
            counts: gateway.counts, label: gateway.snapshot.label, upstream: gateway.upstreamStatus,
            sinks: gateway.sinks, lastReload: reloader.lastOutcome
        ).text
    }

    /// For `gatekit status`.
    func report() -> StatusReport {
        let counts = gateway.counts
        let snapshot = gateway.snapshot
        return StatusReport(
            pid: getpid(), state: isEnding ? .stopping : reloader.isReloading ? .reloading : .running,
            uptimeSeconds: uptime, startedAt: parts.instance?.startedAt ?? "", version: GatekitVersion.text,
            configPath: snapshot.settings.configPath, transports: transports, upstream: upstream(counts),
            sessions: counts.sessions, pending: counts.calls,
            config: StatusReport.Configuration(generation: snapshot.generation, hash: snapshot.configHash),
            lastReload: reloader.lastOutcome.map(StatusReport.LastReload.init),
            environment: StatusReport.Environment(
                source: reloader.environmentSource, path: parts.files.dotenvPath),
            refusedRestart: refusedRestart, audit: gateway.sinks.map(sink), sanitization: sanitization(counts),
            watchdog: Watchdog.interval.map { StatusReport.Watchdog(intervalSeconds: $0 / .seconds(1)) },
            warnings: snapshot.settings.outputSanitization == nil ? [OutputSanitizationSettings.offWarning] : [])
    }

    private func sanitization(_ counts: Router.Counts) -> StatusReport.Sanitization {
        let chosen = gateway.snapshot.settings.outputSanitization?.stages ?? []
        let removed = counts.sanitized
        return StatusReport.Sanitization(
            stages: OutputSanitizationSettings.Stage.allCases.filter(chosen.contains).map(\.rawValue),
            responses: counts.sanitizedResponses, invisible: removed.invisible, markup: removed.markup,
            codeFences: removed.codeFences)
    }

    private var uptime: Int {
        parts.instance.map { Int((ControlTime.monotonic() - $0.began) / 1_000_000_000) } ?? 0
    }

    private var transports: [StatusReport.Door] {
        var doors: [StatusReport.Door] = []
        if parts.doors.stdio != nil { doors.append(StatusReport.Door(name: "stdio", address: "stdin/stdout")) }
        if let unix = parts.doors.unix {
            doors.append(StatusReport.Door(name: "unix", address: unix.settings.path, path: unix.settings.path))
        }
        if let http = parts.doors.http { doors.append(StatusReport.Door(name: "http", address: http.url)) }
        return doors
    }

    private func upstream(_ counts: Router.Counts) -> StatusReport.Upstream {
        let status = gateway.upstreamStatus
        let second = gateway.secondUpstreamStatus.map {
            StatusReport.Upstream.Second(state: state(of: $0), pid: $0.pid, restarts: $0.restarts, era: era(of: $0))
        }
        return StatusReport.Upstream(
            name: settings.upstream.name ?? "upstream", state: state(of: status), pid: status.pid,
            restarts: status.restarts, era: era(of: status), sessions: settings.upstream.sessions.rawValue,
            ownProcesses: counts.ownUpstreams, maxDedicated: settings.upstream.maxDedicated,
            ownProcessIDs: gateway.ownProcessIDs, reason: status.reason, second: second)
    }

    private func state(of status: UpstreamStatus) -> StatusReport.Upstream.State {
        switch status.state {
        case .starting: .starting
        case .ready: .ready
        case .failed: .failed
        }
    }

    private func era(of status: UpstreamStatus) -> String? {
        status.revision.map { "\(Era(revision: $0).rawValue) (\($0))" }
    }

    private func sink(_ sink: SinkStatus) -> StatusReport.Sink {
        StatusReport.Sink(
            name: sink.name, kind: sink.kind.rawValue, format: format(of: sink), records: sink.records,
            bytes: sink.bytes,
            queuedBytes: sink.queuedBytes, missing: sink.missing, isOpen: sink.isOpen, reason: sink.reason,
            lastError: sink.lastError)
    }

    /// As configured; nil for a sink of an earlier configuration, and for one that knows a single format.
    private func format(of sink: SinkStatus) -> String? {
        let settings = gateway.snapshot.settings
        switch sink.kind {
        case .file: return settings.fileAuditing.first { $0.outputFile == sink.name }?.format.rawValue
        case .journal: return settings.journalAuditing?.format.rawValue
        case .toolCallLog: return nil
        }
    }
}
