internal import Dispatch
internal import Glibc

/// The signals of a serving process, as Dispatch sources.
///
/// Until ``arm(terminate:reopen:)`` returns, SIGTERM and SIGINT have their default effect: nothing has been opened yet
/// that would need a clean end, and a signal that was ignored in between would be lost. libdispatch registers sources
/// later than `activate()` returns, so the registration is awaited.
final class SignalSources {
    private let sources: [any DispatchSourceSignal]

    private init(_ sources: [any DispatchSourceSignal]) {
        self.sources = sources
    }

    /// SIGTERM and SIGINT ask for a clean end, SIGUSR1 for reopened files. Blocks until the kernel would deliver them.
    static func arm(
        terminate: @escaping @Sendable () -> Void, reopen: @escaping @Sendable () -> Void
    ) -> SignalSources {
        let wanted: [(Int32, @Sendable () -> Void)] = [(SIGTERM, terminate), (SIGINT, terminate), (SIGUSR1, reopen)]
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
