/// One thing to be brought to the disk.
struct SyncTarget: Sendable {
    let descriptor: Descriptor
    let isDirectory: Bool
}

/// Brings what sinks have written to the disk, on a thread of its own: at most one round is in flight, and the next one
/// covers all that came in the meantime.
///
/// Loop-confined; only the system calls run elsewhere.
final class SyncGroup {
    /// What one sink wants synced.
    struct Request: Sendable {
        let sink: ObjectIdentifier
        var targets: [SyncTarget]
    }

    /// A round's end: up to which barrier everything is on the disk, if it is.
    var onDurable: ((UInt64) -> Void)?
    /// A sink's targets could not be synced (an errno), or could (0), told at each round's end before ``onDurable``.
    /// The answer says whether they must be tried again before the round counts.
    var onResult: ((ObjectIdentifier, Int32) -> Bool)?

    private let calls: FileCalls
    private let offload: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let executor: @Sendable (@escaping @Sendable () -> Void) -> Void
    private var waiting: [ObjectIdentifier: [SyncTarget]] = [:]
    private var lastBarrier: UInt64 = 0
    private var isInFlight = false
    private var mustWaitForTick = false

    init(
        calls: FileCalls, offload: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        executor: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        self.calls = calls
        self.offload = offload
        self.executor = executor
    }

    /// Asks for a round over `requests`; the barrier that ``onDurable`` will reach when it is done.
    func ask(_ requests: [Request]) -> UInt64 {
        for request in requests { enqueue(request) }
        lastBarrier += 1
        startRound()
        return lastBarrier
    }

    /// Tries again what failed.
    func tick() {
        mustWaitForTick = false
        if !waiting.isEmpty { startRound() }
    }

    private func enqueue(_ request: Request) {
        for target in request.targets
        where !waiting[request.sink, default: []].contains(where: { $0.descriptor === target.descriptor }) {
            waiting[request.sink, default: []].append(target)
        }
    }

    private func startRound() {
        guard !isInFlight, !mustWaitForTick else { return }
        isInFlight = true
        let round = waiting.map { Request(sink: $0.key, targets: $0.value) }
        waiting = [:]
        let barrier = lastBarrier
        let (calls, executor, home) = (self.calls, self.executor, LoopConfined(self))
        offload {
            let results = round.map { request in
                var code: Int32 = 0
                for target in request.targets {
                    let failure = calls.synchronize(target.descriptor.number, target.isDirectory)
                    if code == 0 { code = failure }
                }
                return (request, code)
            }
            executor { home.value.finish(results, barrier) }
        }
    }

    private func finish(_ results: [(Request, Int32)], _ barrier: UInt64) {
        isInFlight = false
        var isComplete = true
        for (request, code) in results where onResult?(request.sink, code) ?? false {
            isComplete = false
            enqueue(request)
        }
        if isComplete {
            onDurable?(barrier)
            if barrier < lastBarrier { startRound() }
        } else {
            mustWaitForTick = true
        }
    }
}

/// Carries a loop-confined object through a thread that does not touch it, back to its loop.
///
/// `@unchecked Sendable` because only the closure handed to the loop's executor reads `value`; the other thread passes
/// the reference on and may be the last to release it, which frees memory and does nothing else.
struct LoopConfined<Value: AnyObject>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
