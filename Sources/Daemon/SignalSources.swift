internal import Dispatch
internal import Glibc

/// The signals of a serving process, as Dispatch sources.
///
/// Each is ignored by `signal(2)` before its source is made, so that none can end the process in between, and armed when
/// ``arm(terminate:reopen:)`` returns: libdispatch registers sources later than `activate()` returns.
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
        let armed = DispatchGroup()
        let sources = wanted.map { number, handler in
            signal(number, SIG_IGN)
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
