internal import AuditTrail
internal import ControlPlane
internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import Glibc
internal import HTTPDoor
internal import LineDoors
internal import Logging
internal import MCPRouting
internal import NIOCore
internal import NIOPosix
internal import Reload
internal import Systemd

/// A gateway that serves: its start, its signals and its end. Confined to the gateway loop.
final class Serving {
    /// What it is put together from.
    struct Parts {
        let gateway: Gateway
        let trail: AuditTrail
        let doors: Doors
        let metrics: MetricsEndpoint
        let files: ConfigurationFiles
        let candidate: Candidate
        let workers: NIOThreadPool
        let life: Lifetime
        let notifier: ServiceNotifier?
        let instance: Instance?
        let log: Logger
    }

    let parts: Parts
    /// Lazy, since it calls back here.
    private(set) lazy var reloader = Reloader(
        start: parts.candidate, snapshot: parts.gateway.snapshot, target: self,
        now: { Reloader.Moment(monotonic: ControlTime.monotonic(), wall: ControlTime.wall()) })
    var control: ControlServer?
    private var heartbeat: Heartbeat?
    private var sinkWatch = SinkWatch()
    private var statusTimer: RepeatedTask?
    private(set) var isEnding = false
    private var isRestarting = false
    /// The last restart that was refused.
    private(set) var refusedRestart: StatusReport.RefusedRestart?
    private var hasShakenHands = false

    var gateway: Gateway { parts.gateway }
    var log: Logger { parts.log }
    var settings: Settings { gateway.snapshot.settings }

    init(_ parts: Parts) {
        self.parts = parts
    }

    // MARK: - The start

    /// Opens the doors and starts the upstream. Fails when a door cannot be opened; the upstream is reported later, by
    /// the log and the answers to clients.
    func open() -> EventLoopFuture<Void> {
        gateway.onFirstHandshake = { [unowned self] failure in handshakeEnded(failure) }
        gateway.onUpstreamGaveUp = { [unowned self] reason in gaveUp(reason) }
        gateway.onSessionEnded = { [unowned self] session, _ in
            if session == parts.doors.stdio?.session { stdioEnded() }
        }
        announcePolicies()
        let connection = settings.timeouts.connection
        parts.notifier?.status("starting: waiting for the upstream")
        // The default start time-out of a unit may be shorter than the patience that was configured.
        parts.notifier?.extendTimeout(microseconds: UInt64((connection + 10) * 1e6))
        parts.doors.isReady = { [unowned self] in hasShakenHands && !isEnding && gateway.upstreamStatus.state != .failed
        }
        parts.metrics.lastReload = { [unowned self] in reloader.lastOutcome }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        return parts.doors.open().flatMap { bound.value.parts.metrics.open() }.flatMap { bound.value.openControl() }.map
        { bound.value.begin() }
    }

    private func announcePolicies() {
        let plugins = DaemonLog.logger("gatekit.plugins.manager")
        for sink in settings.fileAuditing {
            plugins.info("Loaded auditing plugin: file_auditing")
            DaemonLog.logger("gatekit.audit").info(
                "Writing audit records to \(sink.outputFile) (\(sink.format.rawValue))")
        }
        if let mirror = settings.journalAuditing {
            plugins.info("Loaded auditing plugin: journal_auditing (\(mirror.identifier))")
        }
        for _ in settings.toolAllowlists { plugins.info("Loaded security plugin: tool_allowlist") }
    }

    /// Commands find us from here on: SIGHUP is armed, and what comes before the start has succeeded is remembered.
    private func openControl() -> EventLoopFuture<Void> {
        guard let instance = parts.instance else { return gateway.eventLoop.makeSucceededVoidFuture() }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        return ControlServer.open(
            path: instance.claim.controlSocket, eventLoop: gateway.eventLoop, status: { bound.value.report() },
            logger: DaemonLog.logger("gatekit.control")
        ).flatMapThrowing {
            bound.value.control = $0.value
            try instance.publish()
        }
    }

    private func begin() {
        gateway.start()
        if let unix = parts.doors.unix { log.info("Listening on \(unix.settings.path)") }
        if let http = parts.doors.http { log.info("Listening on \(http.url)") }
        if let ineffective = parts.doors.ineffectiveSocket(settings) { log.warning("\(ineffective)") }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        gateway.eventLoop.scheduleTask(in: .nanoseconds(Int64(settings.timeouts.connection * 1e9))) {
            bound.value.startTimedOut()
        }
    }

    private func handshakeEnded(_ failure: String?) {
        guard let failure else { return startSucceeded() }
        startFailed(failure)
    }

    private func startSucceeded() {
        hasShakenHands = true
        log.info("Connected to upstream server")
        log.info("MCPProxy now accepting client connections")
        guard !isEnding else { return }
        parts.notifier?.ready(status: statusText)
        if let notifier = parts.notifier {
            heartbeat = Heartbeat.begin(on: gateway.eventLoop, workers: parts.workers, notifier)
        }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        statusTimer = gateway.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.tellStatus()
        }
        reloader.startSucceeded()
    }

    private func startTimedOut() {
        guard !hasShakenHands, !isEnding else { return }
        let limit = "did not shake hands within connection_timeout (\(settings.timeouts.connection) s)"
        startFailed(gateway.upstreamStatus.reason.map { "\(limit); it \($0)" } ?? limit)
    }

    /// The first start is the operator's to repair: no daemon stays behind that cannot serve.
    private func startFailed(_ reason: String) {
        guard !isEnding else { return }
        log.error("upstream \(reason)")
        parts.notifier?.failed(status: "upstream \(reason)", errno: ECHILD)
        // Whatever ends the process first, it has failed.
        parts.life.exitCode = 1
        gateway.failUpstream(reason)
        // A client that launched us may not have sent its `initialize` yet; it gets the reason as the answer.
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        gateway.eventLoop.scheduleTask(in: .seconds(1)) { bound.value.end(code: 1) }
    }

    /// Restarts are used up.
    private func gaveUp(_ reason: String) {
        guard hasShakenHands, !isEnding else { return }
        log.error("upstream \(reason): restarts are used up (max_restart_attempts)")
        if settings.transports == [.stdio] { end(code: 1) }
    }

    private func stdioEnded() {
        if settings.transports == [.stdio] { end(code: 0) }
    }

    private func tellStatus() {
        let audit = DaemonLog.logger("gatekit.audit")
        for news in sinkWatch.news(of: gateway.sinks) {
            audit.log(level: news.isTrouble ? .error : .info, "\(news.text)")
        }
        // While a reload or the end is told, its own words stay.
        if !reloader.isReloading, !isEnding { parts.notifier?.status(statusText) }
    }

    // MARK: - Signals

    /// SIGUSR1.
    func reopen() {
        parts.trail.reopen()
        log.info("Reopened audit files")
    }

    /// SIGUSR2: ends cleanly and executes the program on disk, if the configuration on disk would start it.
    func restart() {
        guard !isEnding else { return }
        guard hasShakenHands else { return refuseRestart(["the start has not succeeded yet"]) }
        guard settings.transports != [.stdio] || parts.doors.stdio == nil else {
            return refuseRestart(["the only session is on stdin and stdout, and would end with it"])
        }
        if let problem = ProgramImage.problem { return refuseRestart([problem]) }
        let files = parts.files
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        parts.workers.runIfActive(eventLoop: gateway.eventLoop) { () throws -> Void in
            _ = try files.foundAnew().read(.start)
        }.whenComplete { bound.value.restart($0) }
    }

    private func refuseRestart(_ problems: [String]) {
        for problem in problems { log.error("restart refused: \(problem)") }
        refusedRestart = StatusReport.RefusedRestart(
            time: ControlTime.text(ControlTime.wall()), problems: problems)
    }

    private func restart(_ checked: Result<Void, any Error>) {
        if case .failure(let error) = checked {
            return refuseRestart("\(error)".split(separator: "\n").map(String.init))
        }
        guard !isEnding else { return }
        log.info("Restarting")
        isRestarting = true
        parts.life.restarts = true
        parts.notifier?.reloading(status: "restarting")
        end(code: 0)
    }

    // MARK: - The end

    /// SIGTERM, SIGINT. Beats a restart that is under way.
    func terminate() {
        if isRestarting {
            isRestarting = false
            tellStopping()
        }
        end(code: 0)
    }

    private func tellStopping() {
        parts.notifier?.stopping(status: "ending: \(gateway.counts.calls) calls in flight")
    }

    /// A clean end; the first call's code counts, unless a later one says that something went wrong.
    func end(code: Int32) {
        let life = parts.life
        life.exitCode = max(life.exitCode, code)
        guard !isEnding else { return }
        isEnding = true
        statusTimer?.cancel()
        if !isRestarting { tellStopping() }
        parts.notifier?.extendTimeout(microseconds: UInt64((settings.timeouts.shutdown + 5) * 1e6))
        reloader.stop()
        parts.doors.close()
        parts.metrics.close()
        let stdio = parts.doors.stdio
        // Signs of life go on: for a restart the manager's watchdog stays armed.
        let last = NIOLoopBound((control, heartbeat), eventLoop: gateway.eventLoop)
        gateway.shutDown { [log] in
            log.info("Ended: every call has been answered and recorded")
            last.value.0?.close()
            last.value.1?.end()
            guard let stdio else { return life.ended {} }
            let finish = stdio.finish
            stdio.closed.whenComplete { _ in life.ended(finish) }
        }
        // A client that never takes its last answer must not keep the process.
        gateway.eventLoop.scheduleTask(in: .nanoseconds(Int64((settings.timeouts.shutdown + 1) * 1e9))) { [life, log] in
            log.warning("the end took longer than shutdown_timeout: gave up waiting")
            life.ended {}
        }
    }
}
