import GatewayEvents
import Testing

@testable import Gateway

@Suite("Messages that the gateway holds")
struct HeldMessagesTests {
    private final class Observer: GatewayObserver {
        var told: [(count: Int, nanoseconds: UInt64, way: HeldMessages.Way)] = []

        func observe(_ event: AuditEvent) {}

        func held(_ messages: Int, for nanoseconds: UInt64, _ way: HeldMessages.Way) {
            told.append((messages, nanoseconds, way))
        }

        func connectionRefused() {}
    }

    @Test("are told once when they leave, with the time since the first was read")
    func told() {
        let observer = Observer()
        var held = HeldMessages()
        held.add(readAt: 100)
        held.add(readAt: 150)
        held.tell(observer, .toUpstream, at: 300)
        held.tell(observer, .toUpstream, at: 400)
        held.add(readAt: 350)
        held.tell(observer, .toClient, at: 360)
        #expect(observer.told.map(\.count) == [2, 1])
        #expect(observer.told.map(\.nanoseconds) == [200, 10])
        #expect(observer.told.map(\.way) == [.toUpstream, .toClient])
    }

    @Test("keep their time where they wait longer")
    func taken() {
        let observer = Observer()
        var held = HeldMessages()
        held.add(readAt: 100)
        var waiting = held.take()
        held.add(readAt: 500)
        held.tell(observer, .toUpstream, at: 510)
        waiting.tell(observer, .toUpstream, at: 1100)
        #expect(observer.told.map(\.nanoseconds) == [10, 1000])
    }

    @Test("have waited no time when the clock says less than nothing")
    func clock() {
        let observer = Observer()
        var held = HeldMessages()
        held.add(readAt: 100)
        held.tell(observer, .toClient, at: 99)
        #expect(observer.told.map(\.nanoseconds) == [0])
    }
}
