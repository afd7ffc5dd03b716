internal import AuditTrail
internal import CSpawn
internal import ControlPlane
internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import Glibc
internal import LineDoors
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Reload
internal import StandardStreams
internal import Systemd
internal import Upstream

/// The composition root: reads the configuration, builds the parts, opens the doors, waits for the end.
public enum Daemon {
    /// Serves in the foreground until a signal, or until the lone stdio session has ended. Call once, from the main
    /// thread, before the process has any other thread: the watcher of process groups is forked from it.
    /// - Returns: the exit code: 0 after a clean end, 1 when the start was refused or the upstream was lost for good.
    ///   Does not return from a restart that succeeds.
    public static func serve(_ options: ServeOptions) -> Int32 {
        ignoreSignals()
        ProgramImage.remember()
        guard let stdio = StdioDescriptors.protect() else {
            return fail("stdin or stdout is closed: redirect it from or to /dev/null")
        }
        do {
            let start = try Start(options)
            return try run(start, try start.files.read(.start), options, stdio)
        } catch {
            let reason = "\(error)"
            _ = fail(reason)
            let notifier = ServiceNotifier.fromEnvironment()
            notifier?.failed(status: reason, errno: EINVAL)
            notifier?.flush()
            StartFailureReply.send(reason, over: stdio)
            return 1
        }
    }

    private static func run(
        _ start: Start, _ candidate: Candidate, _ options: ServeOptions, _ stdio: StdioDescriptors
    ) throws -> Int32 {
        let settings = candidate.loaded.settings
        // One writer for the audit, the tool-call log and the log; it sends nothing before the watcher was forked.
        let journal = JournalWriter()
        let logsToJournal = JournalStream.isStderr(start.environment)
        defer { end(journal) }
        DaemonLog.setLevel(Logger.Level(settings.logLevel))
        DaemonLog.useJournal(logsToJournal ? journal : nil)
        announce(start, candidate, options)
        let instance = try Instance.claim(start, candidate.loaded, options, DaemonLog.logger("gatekit.control"))
        defer { instance?.release() }
        let sockets = try ListenDescriptors.received()
        let passed = try Doors.passed(in: sockets)

        raiseDescriptorLimit(for: settings.limits)

        // Before any other thread: it forks the watcher.
        let spawner = SpawnThread(logger: DaemonLog.logger("gatekit.upstream"))
        try spawner.start()
        if logsToJournal { journal.start() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let workers = NIOThreadPool(numberOfThreads: 1)
        workers.start()
        let life = Lifetime(group: group, workers: workers, spawner: spawner)
        let notifier = ServiceNotifier.fromEnvironment()

        let loop = group.next()
        let opened = loop.submit { () throws -> NIOLoopBound<Serving> in
            let log = DaemonLog.logger("gatekit.proxy.server")
            let snapshot = SnapshotAssembly.snapshot(of: candidate.loaded, generation: 1)
            let trail = AuditTrail(
                run: SessionRun.mint(), version: GatekitVersion.text, journal: journal,
                toolCallLog: logsToJournal ? .journal : .stderr { LogOutput.stderr.write(lines: $0) }
            ) { loop.execute($0) }
            try trail.install(snapshot)
            let directory = start.files.workingDirectory
            let gateway = Gateway(
                snapshot: snapshot, version: GatekitVersion.text, eventLoop: loop, trail: trail, spawner: spawner,
                workers: workers, logger: log,
                launchPlan: { SnapshotAssembly.launchPlan(of: $0, workingDirectory: directory) },
                restartPolicy: SnapshotAssembly.restartPolicy)
            if options.showsMessages { gateway.showMessages() }
            let parts = Serving.Parts(
                gateway: gateway, trail: trail, doors: Doors(gateway, stdio, passed: passed, log),
                metrics: MetricsEndpoint(gateway, DaemonLog.logger("gatekit.metrics")), files: start.files,
                candidate: candidate, workers: workers, life: life, notifier: notifier, instance: instance, log: log)
            return NIOLoopBound(Serving(parts), eventLoop: loop)
        }
        do {
            let serving = try opened.wait()
            let signals = SignalSources.arm(
                SignalSources.Handlers(
                    terminate: {
                        // At once: the loop may have ended already, and a restart would swallow the signal.
                        life.restarts = false
                        loop.execute { serving.value.terminate() }
                    },
                    reload: { loop.execute { serving.value.reloader.request() } },
                    reopen: { loop.execute { serving.value.reopen() } },
                    restart: { loop.execute { serving.value.restart() } }))
            defer { signals.cancel() }
            try loop.flatSubmit { serving.value.open() }.wait()
            let code = life.waitForEnd()
            notifier?.flush()
            guard life.restarts else { return code }
            end(journal)
            guard life.restarts else { return code }
            return ProgramImage.execute(instance?.claim, sockets)
        } catch {
            life.dismantle()
            throw error
        }
    }

    /// Each session is a descriptor. The usual soft limit of 1024 is there for programs that use select(2).
    private static func raiseDescriptorLimit(for limits: Limits) {
        let limit = gk_descriptor_limit_raise()
        let needed = limits.maxSessions + 100
        if limit >= 0, limit < needed {
            DaemonLog.logger("gatekit.main").warning(
                "max_sessions \(limits.maxSessions) needs about \(needed) open files and the limit is \(limit): raise it (ulimit -n, LimitNOFILE=) or lower max_sessions"
            )
        }
    }

    /// The lines of the start, in the order of the tutorial.
    private static func announce(_ start: Start, _ candidate: Candidate, _ options: ServeOptions) {
        let settings = candidate.loaded.settings
        let main = DaemonLog.logger("gatekit.main")
        main.info("Loading configuration from \(settings.configPath)")
        main.info("Starting Gatekit MCP Gateway")
        for warning in candidate.loaded.warnings { main.warning("\(warning)") }
        if options.isVerbose {
            let config = DaemonLog.logger("gatekit.config")
            for line in settings.summary() { config.debug("\(line.key): \(line.value)") }
        }
        if options.showsMessages {
            main.warning("--debug shows what clients and upstreams say to each other: not for production")
        }
    }

    /// Sends what waits for the journal. What it still does not take is told on stderr, which is all that is left.
    private static func end(_ journal: JournalWriter) {
        journal.close(drainingFor: 2)
        let status = journal.status
        guard status.queuedEntries > 0 else { return }
        DaemonLog.logger("gatekit.log").error(
            "\(status.queuedEntries) entries did not reach the journal: \(status.lastError ?? "it was too slow")")
    }

    /// The default action would end the process, or, for SIGXFSZ, end it where a failed write is meant.
    private static func ignoreSignals() {
        for number in [SIGPIPE, SIGXFSZ, SIGHUP, SIGUSR2] { ignore(number) }
        guard getpid() == 1 else { return }
        // The kernel drops what PID 1 of a container does not handle. Blocked, it waits for the Dispatch sources, which
        // read blocked signals as well; children get a clean mask.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    private static func ignore(_ number: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = SIG_IGN
        sigaction(number, &action, nil)
    }

    private static func fail(_ reason: String) -> Int32 {
        let log = DaemonLog.logger("gatekit.main")
        for line in reason.split(separator: "\n") { log.error("\(line)") }
        return 1
    }
}

extension Logger.Level {
    init(_ level: LogLevel) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warning: self = .warning
        case .error: self = .error
        }
    }
}
