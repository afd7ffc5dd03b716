import Testing

@testable import Upstream

@Suite struct RestartPolicyTests {
    @Test("the pause doubles from one second and stays at sixty")
    func doubling() {
        var policy = RestartPolicy.daemon()
        let pauses = (1...9).map { _ in policy.ended(afterUptime: 0) }
        let expected: [Double] = [1, 2, 4, 8, 16, 32, 60, 60, 60]
        #expect(pauses == expected.enumerated().map { .restart(after: $0.element, attempt: $0.offset + 1) })
    }

    @Test("the hundredth failure of a daemon is as the tenth")
    func manyFailures() {
        var policy = RestartPolicy.daemon()
        for _ in 1...99 { _ = policy.ended(afterUptime: 0) }
        #expect(policy.ended(afterUptime: 0) == .restart(after: 60, attempt: 100))
    }

    @Test("thirty seconds of running make it start over, a little less does not", arguments: [(29.9, 4), (30.0, 1)])
    func reset(uptime: Double, attempt: Int) {
        var policy = RestartPolicy.daemon()
        for _ in 1...3 { _ = policy.ended(afterUptime: 0) }
        let pause = Double(1 << (attempt - 1))
        #expect(policy.ended(afterUptime: uptime) == .restart(after: pause, attempt: attempt))
    }

    @Test("a session has three tries and then gives up for good")
    func session() {
        var policy = RestartPolicy.session()
        let decisions = (1...5).map { _ in policy.ended(afterUptime: 1) }
        #expect(
            decisions == [
                .restart(after: 1, attempt: 1), .restart(after: 2, attempt: 2), .restart(after: 4, attempt: 3),
                .gaveUp(retryAfter: nil), .gaveUp(retryAfter: nil),
            ])
    }

    @Test("a daemon with a limit goes on every sixty seconds, and a good run gives it its tries back")
    func limitedDaemon() {
        var policy = RestartPolicy.daemon(attempts: 1)
        #expect(policy.ended(afterUptime: 0) == .restart(after: 1, attempt: 1))
        #expect(policy.ended(afterUptime: 0) == .gaveUp(retryAfter: 60))
        #expect(policy.ended(afterUptime: 5) == .gaveUp(retryAfter: 60))
        #expect(policy.ended(afterUptime: 31) == .restart(after: 1, attempt: 1))
    }

    @Test("without restarts the first end is the last")
    func never() {
        var policy = RestartPolicy.never
        #expect(policy.ended(afterUptime: 3600) == .gaveUp(retryAfter: nil))
    }

    @Test("a reset gives all tries back")
    func manualReset() {
        var policy = RestartPolicy.session(attempts: 1)
        _ = policy.ended(afterUptime: 0)
        policy.reset()
        #expect(policy.ended(afterUptime: 0) == .restart(after: 1, attempt: 1))
    }
}
