import NIOCore
import Testing

@testable import HTTPDoor

@Suite("The event store of a session")
struct EventStoreTests {
    private func texts(_ events: [EventStore.Event]) -> [String] { events.map { String(buffer: $0.message) } }

    private func resumed(_ store: inout EventStore, _ id: EventID?, open: Set<UInt32> = []) -> [String]? {
        guard case .missed(_, let events) = store.resume(after: id, isOpen: { open.contains($0) }) else { return nil }
        return texts(events)
    }

    @Test("a client gets what it missed of its stream, and nothing of another")
    func resumes() {
        var store = EventStore()
        let first = store.mint(1)
        _ = store.add(ByteBuffer(string: "a"), to: 1, isSent: true)
        _ = store.add(ByteBuffer(string: "other"), to: 2, isSent: true)
        let second = store.add(ByteBuffer(string: "b"), to: 1, isSent: false)
        #expect(resumed(&store, first) == ["a", "b"])
        #expect(resumed(&store, second) == nil)
        #expect(resumed(&store, second, open: [1]) == [])
    }

    @Test("an id that was never given begins anew")
    func unknown() {
        var store = EventStore()
        _ = store.add(ByteBuffer(string: "a"), to: 1, isSent: true)
        #expect(resumed(&store, nil) == nil)
        #expect(resumed(&store, EventID(stream: 1, number: 2)) == nil)
    }

    @Test("what nobody was sent is given out once")
    func unsent() {
        var store = EventStore()
        _ = store.add(ByteBuffer(string: "sent"), to: 0, isSent: true)
        _ = store.add(ByteBuffer(string: "kept"), to: 0, isSent: false)
        #expect(texts(store.takeUnsent(of: 0)) == ["kept"])
        #expect(store.takeUnsent(of: 0).isEmpty)
    }

    @Test("the oldest go when there are too many, or too many bytes; the newest stays")
    func bounds() {
        var store = EventStore()
        let begin = store.mint(1)
        for number in 0..<300 { _ = store.add(ByteBuffer(string: "\(number)"), to: 1, isSent: false) }
        #expect(resumed(&store, begin)?.count == EventStore.maxCount)
        #expect(resumed(&store, begin)?.first == "44")
        let large = ByteBuffer(repeating: 32, count: 3 * EventStore.maxBytes)
        _ = store.add(large, to: 1, isSent: false)
        #expect(resumed(&store, begin)?.count == 1)
        _ = store.add(ByteBuffer(string: "small"), to: 1, isSent: false)
        #expect(resumed(&store, begin) == ["small"])
    }
}
