internal import Dispatch
internal import Glibc

/// The signals of a serving process, as Dispatch sources.
///
/// SIGHUP and SIGUSR2 are ignored from the first line of ``Daemon/serve(_:)`` on, before their sources exist: a signal in
/// between must not end the process, and the source reports it all the same once it is registered, or nobody was there
/// to be told. Until ``arm(_:)`` returns, SIGTERM and SIGINT have their default effect: nothing has been opened yet that
/// would need a clean end, and a signal that was ignored in between would be lost (for PID 1 of a container, for which the
/// default is to ignore, they are blocked meanwhile). libdispatch registers sources later
/// than `activate()` returns, so the registration is awaited.
final class SignalSources {
    private let sources: [any DispatchSourceSignal]

    private init(_ sources: [any DispatchSourceSignal]) {
        self.sources = sources
    }

    /// What each signal means; every handler is called on a thread of Dispatch. Signals of one kind that come close
    /// together are one call.
    struct Handlers {
        /// SIGTERM and SIGINT.
        var terminate: @Sendable () -> Void
        /// SIGHUP.
        var reload: @Sendable () -> Void
        /// SIGUSR1.
        var reopen: @Sendable () -> Void
        /// SIGUSR2.
        var restart: @Sendable () -> Void
    }

    /// Blocks until the kernel would deliver them.
    static func arm(_ handlers: Handlers) -> SignalSources {
        let wanted: [(Int32, @Sendable () -> Void)] = [
            (SIGTERM, handlers.terminate), (SIGINT, handlers.terminate), (SIGHUP, handlers.reload),
            (SIGUSR1, handlers.reopen), (SIGUSR2, handlers.restart),
        ]
        // By default it would end the process; lost before the sinks are open, it has nothing to reopen.
        signal(SIGUSR1, SIG_IGN)
        let armed = DispatchGroup()
        let sources = wanted.map { number, handler in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            armed.enter()
            source.setRegistrationHandler { @Sendable in armed.leave() }
            source.setEventHandler { @Sendable in handler() }
            source.activate()
            return source
        }
        armed.wait()
        return SignalSources(sources)
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
