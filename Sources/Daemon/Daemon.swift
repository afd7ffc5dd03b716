internal import AuditTrail
internal import CSpawn
internal import Dispatch
internal import Gateway
internal import GatewayConfiguration
internal import GatewayEvents
internal import Glibc
internal import LineDoors
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Systemd
internal import ToolPolicy
internal import Upstream

/// The composition root: reads the configuration, builds the parts, opens the doors, waits for the end.
public enum Daemon {
    /// Serves in the foreground until a signal, or until the lone stdio session has ended. Call once, from the main
    /// thread, before the process has any other thread: the watcher of process groups is forked from it.
    /// - Returns: the exit code: 0 after a clean end, 1 when the start was refused or the upstream was lost for good.
    public static func serve(_ options: ServeOptions) -> Int32 {
        ignoreSignals()
        guard let stdio = StdioDescriptors.protect() else {
            return fail("stdin or stdout is closed: redirect it from or to /dev/null")
        }
        do {
            let configuration = try StartConfiguration.load(options)
            return try run(configuration, options, stdio)
        } catch {
            let reason = "\(error)"
            _ = fail(reason)
            StartFailureReply.send(reason, over: stdio)
            return 1
        }
    }

    private static func run(
        _ start: StartConfiguration, _ options: ServeOptions, _ stdio: StdioDescriptors
    ) throws -> Int32 {
        let settings = start.settings
        // One writer for the audit, the tool-call log and the log; it sends nothing before the watcher was forked.
        let journal = JournalWriter()
        let logsToJournal = JournalStream.isStderr(ProcessEnvironment.read())
        defer { end(journal) }
        DaemonLog.setLevel(options.isVerbose ? .debug : Logger.Level(settings.logLevel))
        DaemonLog.useJournal(logsToJournal ? journal : nil)
        let log: @Sendable (String) -> Logger = { DaemonLog.logger($0) }
        let main = log("gatekit.main")
        main.info("Loading configuration from \(settings.configPath)")
        main.info("Starting Gatekit MCP Gateway")
        for warning in start.loaded.warnings { main.warning("\(warning)") }

        let snapshot = start.snapshot(generation: 1)
        // Before any other thread: it forks the watcher.
        let spawner = SpawnThread(logger: log("gatekit.upstream"))
        try spawner.start()
        if logsToJournal { journal.start() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let workers = NIOThreadPool(numberOfThreads: 1)
        workers.start()
        let life = Lifetime(group: group, workers: workers, spawner: spawner)

        let loop = group.next()
        let opened = loop.submit { () throws -> NIOLoopBound<Serving> in
            let trail = AuditTrail(
                run: SessionRun.mint(), version: GatekitVersion.text, journal: journal,
                toolCallLog: logsToJournal ? .journal : .stderr { LogOutput.stderr.write(lines: $0) }
            ) { loop.execute($0) }
            try trail.install(snapshot)
            let gateway = Gateway(
                snapshot: snapshot, version: GatekitVersion.text, eventLoop: loop, trail: trail, spawner: spawner,
                workers: workers, logger: log("gatekit.proxy.server"), launchPlan: start.launchPlan,
                restartPolicy: start.restartPolicy)
            let plugins = log("gatekit.plugins.manager")
            for sink in settings.fileAuditing {
                plugins.info("Loaded auditing plugin: file_auditing (\(sink.outputFile))")
            }
            if let mirror = settings.journalAuditing {
                plugins.info("Loaded auditing plugin: journal_auditing (\(mirror.identifier))")
            }
            for _ in settings.toolAllowlists { plugins.info("Loaded security plugin: tool_allowlist") }
            return NIOLoopBound(
                Serving(gateway, trail, settings, stdio, log("gatekit.proxy.server"), life), eventLoop: loop)
        }
        do {
            let serving = try opened.wait()
            let signals = SignalSources.arm(
                terminate: { loop.execute { serving.value.end(code: 0) } },
                reopen: { loop.execute { serving.value.reopen() } })
            defer { signals.cancel() }
            try loop.flatSubmit { serving.value.open() }.wait()
            return life.waitForEnd()
        } catch {
            life.dismantle()
            throw error
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

    /// SIGPIPE: a client that hung up is an error of write(2). SIGXFSZ: so is a file-size limit. SIGHUP would end the
    /// process by default, and no reload exists to obey it yet.
    private static func ignoreSignals() {
        for number in [SIGPIPE, SIGXFSZ, SIGHUP] { signal(number, SIG_IGN) }
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
