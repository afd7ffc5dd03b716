import Testing

@testable import HTTPDoor

@Suite("MediaRanges")
struct MediaRangesTests {
    @Test(
        "the most specific range decides",
        arguments: [
            ("", false), ("text/html", true), ("TEXT/HTML", true), ("text/*", true), ("*/*", true),
            ("text/plain", false),
            ("text/html;q=0", false), ("text/html; Q=0.000", false), ("text/html;q=0.001", true),
            ("*/*, text/html;q=0", false), ("*/*;q=0, text/html", true), ("text/*;q=0, */*", false),
            ("text/html;level=1;q=0.4", true), ("text/html;q=2", false), ("text/html;q=x", false),
            ("text/html;q=-1", false), ("text/html;q=", false), (" ,, text/html ,", true), ("text", false),
            (";", false),
            ("text/html;q=0, text/html", true), ("*/html", false),
        ])
    func allows(_ accept: String, _ expected: Bool) {
        #expect(MediaRanges(accept).allows("text/html") == expected)
    }
}
