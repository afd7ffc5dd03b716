import Testing

@testable import HTTPDoor

@Suite("HTTP statuses")
struct HTTPStatusTests {
    @Test("each number stands for one reason")
    func numbers() {
        #expect(Set(HTTPStatus.allCases.map(\.rawValue)).count == HTTPStatus.allCases.count)
    }
}
