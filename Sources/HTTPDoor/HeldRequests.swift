/// POSTs of one client that came while the gateway did not want to read it: a message of the greatest size, like on a line
/// door.
struct HeldRequests {
    private(set) var isReading = true
    private var waiting: [() -> Void] = []
    private var byteCount = 0

    /// What to do with a POST that has come.
    enum Verdict {
        case now, later, refuse
    }

    /// Keeps `body` when it has to wait.
    mutating func take(_ count: Int, limit: Int, _ body: @escaping () -> Void) -> Verdict {
        guard !isReading else { return .now }
        guard waiting.isEmpty || byteCount + count <= limit else { return .refuse }
        waiting.append(body)
        byteCount += count
        return .later
    }

    /// Takes the gateway's wish; what can go on now is the caller's to run, in order.
    mutating func set(_ isReading: Bool) -> [() -> Void] {
        self.isReading = isReading
        guard isReading else { return [] }
        let ready = waiting
        waiting = []
        byteCount = 0
        return ready
    }
}
