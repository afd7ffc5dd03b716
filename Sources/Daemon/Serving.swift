internal import AuditTrail
internal import Gateway
internal import GatewayConfiguration
internal import LineDoors
internal import Logging
internal import NIOCore

/// A gateway with its doors, from the first handshake to the last flush. Confined to the gateway loop.
final class Serving {
    private let gateway: Gateway
    private let trail: AuditTrail
    private let settings: Settings
    private let descriptors: StdioDescriptors
    private let log: Logger
    private let life: Lifetime
    private var stdio: StdioDoor?
    private var unix: UnixDoor?
    private var isEnding = false

    init(
        _ gateway: Gateway, _ trail: AuditTrail, _ settings: Settings, _ descriptors: StdioDescriptors, _ log: Logger,
        _ life: Lifetime
    ) {
        self.gateway = gateway
        self.trail = trail
        self.settings = settings
        self.descriptors = descriptors
        self.log = log
        self.life = life
    }

    /// Opens the doors and starts the upstream. Fails when a door cannot be opened; the upstream is reported later, by
    /// the log and the answers to clients.
    func open() -> EventLoopFuture<Void> {
        let loop = gateway.eventLoop
        gateway.onFirstHandshake = { [unowned self] failure in handshakeEnded(failure) }
        gateway.onUpstreamGaveUp = { [unowned self] reason in gaveUp(reason) }
        gateway.onSessionEnded = { [unowned self] session, _ in
            if session == stdio?.session { stdioEnded() }
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return openUnix().flatMap { bound.value.openStdio() }.map { bound.value.begin() }
    }

    private func openUnix() -> EventLoopFuture<Void> {
        guard settings.transports.contains(.unix) else { return gateway.eventLoop.makeSucceededVoidFuture() }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        return UnixDoor.open(settings.unix, gateway, log).map { bound.value.unix = $0.value }
    }

    private func openStdio() -> EventLoopFuture<Void> {
        guard settings.transports.contains(.stdio) else { return gateway.eventLoop.makeSucceededVoidFuture() }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        return StdioDoor.open(descriptors, gateway, isLone: settings.transports == [.stdio])
            .map { bound.value.stdio = $0.value }
    }

    private func begin() {
        gateway.start()
        if settings.transports.contains(.unix) { log.info("Listening on \(settings.unix.path)") }
        let bound = NIOLoopBound(self, eventLoop: gateway.eventLoop)
        gateway.eventLoop.scheduleTask(in: .nanoseconds(Int64(settings.timeouts.connection * 1e9))) {
            bound.value.startTimedOut()
        }
    }

    private var hasShakenHands = false

    private func handshakeEnded(_ failure: String?) {
        guard let failure else {
            hasShakenHands = true
            log.info("Connected to upstream server")
            return log.info("MCPProxy now accepting client connections")
        }
        startFailed(failure)
    }

    private func startTimedOut() {
        guard !hasShakenHands, !isEnding else { return }
        startFailed("no handshake within connection_timeout (\(settings.timeouts.connection) s)")
    }

    /// The first start is the operator's to repair: no daemon stays behind that cannot serve.
    private func startFailed(_ reason: String) {
        guard !isEnding else { return }
        log.error("upstream \(reason)")
        // Whatever ends the process first, it has failed.
        life.exitCode = 1
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

    /// SIGUSR1.
    func reopen() {
        trail.reopen()
        log.info("Reopened audit files")
    }

    /// A clean end; the first call's code counts, unless a later one says that something went wrong.
    func end(code: Int32) {
        life.exitCode = max(life.exitCode, code)
        guard !isEnding else { return }
        isEnding = true
        unix?.close()
        let stdio = stdio
        gateway.shutDown { [life] in
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
