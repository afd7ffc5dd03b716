import Testing

@testable import HTTPDoor

@Suite("HTTPSession")
struct HTTPSessionTests {
    private static let most = 16_777_216

    @Test(
        "bodies that wait for the gateway are together no larger than one message may be",
        arguments: [([most, 1], 1), ([most - 1, 1, 1], 2), ([most + 1], 1), ([0, 0, 0], 3), ([1, most], 1)])
    func held(_ sizes: [Int], _ taken: Int) async throws {
        try await OpenDoor.with { door in
            let (accepted, ran) = try await door.on { door in
                let session = HTTPSession(owner: HTTPIdentity(), door: door)
                var ran: [Int] = []
                session.setReading(false)
                let accepted = sizes.indices.filter { index in session.whenReading(sizes[index]) { ran.append(index) } }
                let early = ran
                session.setReading(true)
                _ = session.whenReading(Self.most) { ran.append(-1) }
                return (accepted, early + ran)
            }
            #expect(accepted == Array(0..<taken))
            #expect(ran == Array(0..<taken) + [-1], "in order, once, and not before the gateway reads")
        }
    }

    @Test("a session that ends lets go of what waited")
    func end() async throws {
        try await OpenDoor.with { door in
            let ran = try await door.on { door in
                let session = HTTPSession(owner: HTTPIdentity(), door: door)
                var ran = 0
                session.setReading(false)
                _ = session.whenReading(1) { ran += 1 }
                var isClosed = false
                session.close(isAbrupt: false) { isClosed = true }
                return isClosed ? ran : -1
            }
            #expect(ran == 1)
        }
    }
}
