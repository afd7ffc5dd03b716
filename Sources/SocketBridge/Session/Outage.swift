/// The time without a sound connection: when to try again, and when to give up. Milliseconds on any clock that only
/// runs forward.
struct Outage {
    /// How long to go on trying.
    let patience: Int
    /// Why the last attempt failed.
    var reason = ""
    private var began = 0
    private var attempts = 0
    /// Whether an attempt was made since it began.
    private var hasTried = false

    init(patience: Int) {
        self.patience = patience
    }

    /// The first attempt of all is made at once.
    mutating func start(at now: Int) {
        began = now
        hasTried = true
    }

    /// The connection is gone. An outage goes on when what lay between was no sound connection.
    mutating func begin(at now: Int, isNew: Bool) {
        guard isNew else { return }
        began = now
        attempts = 0
        hasTried = false
    }

    /// How long to wait before the next attempt; nil when the patience is used up. The last attempt is made when it
    /// ends.
    mutating func nextDelay(at now: Int) -> Int? {
        let left = began + patience - now
        guard left > 0 || !hasTried else { return nil }
        let doubled = BridgeLimits.firstBackoff << min(attempts, 10)
        attempts += 1
        hasTried = true
        return max(0, min(doubled, BridgeLimits.longestBackoff, left))
    }
}
