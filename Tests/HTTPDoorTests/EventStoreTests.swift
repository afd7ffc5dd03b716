import NIOCore
import Testing

@testable import HTTPDoor

@Suite("The event store of a session")
struct EventStoreTests {
    /// Holds a store that changes with what it is asked.
    private final class Scene {
        private var store = EventStore()

        func mint(_ stream: UInt32) -> EventID { store.mint(stream) }

        @discardableResult
        func add(_ text: String, to stream: UInt32, isSent: Bool = false) -> EventID {
            store.add(ByteBuffer(string: text), to: stream, isSent: isSent)
        }

        /// What was missed; nil when the stream begins anew.
        func resume(_ id: EventID?, open: Set<UInt32> = []) -> [String]? {
            guard case .missed(_, let events) = store.resume(after: id, isOpen: { open.contains($0) }) else {
                return nil
            }
            return events.map { String(buffer: $0.message) }
        }

        func takeUnsent(_ stream: UInt32) -> [String] {
            store.takeUnsent(of: stream).map { String(buffer: $0.message) }
        }
    }

    @Test("a client gets what it missed of its stream, and nothing of another")
    func resumes() {
        let scene = Scene()
        let first = scene.mint(1)
        scene.add("a", to: 1, isSent: true)
        scene.add("other", to: 2, isSent: true)
        let second = scene.add("b", to: 1)
        #expect(scene.resume(first) == ["a", "b"])
        #expect(scene.resume(second) == nil)
        #expect(scene.resume(second, open: [1]) == [])
    }

    @Test("an id that was never given begins anew")
    func unknown() {
        let scene = Scene()
        scene.add("a", to: 1, isSent: true)
        #expect(scene.resume(nil) == nil)
        #expect(scene.resume(EventID(stream: 1, number: 2)) == nil)
    }

    @Test("what nobody was sent is given out once")
    func unsent() {
        let scene = Scene()
        scene.add("sent", to: 0, isSent: true)
        scene.add("kept", to: 0)
        #expect(scene.takeUnsent(0) == ["kept"])
        #expect(scene.takeUnsent(0).isEmpty)
    }

    @Test("the oldest go when there are too many, or too many bytes; the newest stays")
    func bounds() {
        let scene = Scene()
        let begin = scene.mint(1)
        for number in 0..<300 { scene.add("\(number)", to: 1) }
        #expect(scene.resume(begin)?.count == EventStore.maxCount)
        #expect(scene.resume(begin)?.first == "44")
        scene.add(String(repeating: " ", count: 3 * EventStore.maxBytes), to: 1)
        #expect(scene.resume(begin)?.count == 1)
        scene.add("small", to: 1)
        #expect(scene.resume(begin) == ["small"])
    }
}
