import JSONRPCWire
import NIOCore
import Testing

@Suite("Request ids")
struct RequestIDTests {
    static func id(_ json: String) -> RequestID? {
        RequestID(ByteRange(1, 1 + json.utf8.count), in: buffer(" \(json) "))
    }

    @Test(
        "meets all spellings of one id",
        arguments: [
            ["1", "1.0", "1e0", "10e-1", "0.1e1", "1E+0", "100.0e-2", "1.000000000000000000000000000000"],
            ["0", "-0", "0.0", "-0e5", "0e-9999"], ["-5", "-5.0", "-50e-1"],
            ["9007199254740993", "9007199254740993.0", "9.007199254740993e15"],
            ["9223372036854775807", "9223372036854775807.0"], ["-9223372036854775808", "-9.223372036854775808e18"],
            ["9223372036854775808", "9223372036854775808.0", "9223372036854775808e0"],
            ["1.5", "15e-1", "1.50", "0.15e1"], ["1e9999", "10e9998"],
            ["\"a\"", "\"\\u0061\""], ["\"\"", "\"\""], ["\"é\"", "\"\\u00e9\""], ["\"😀\"", "\"\\ud83d\\ude00\""],
            ["\"/\"", "\"\\/\""],
            ["\"a long id that is kept on the heap\"", "\"a long id that is kept on the he\\u0061p\""],
        ])
    func equal(_ spellings: [String]) throws {
        for spelling in spellings {
            let id = try #require(Self.id(spelling))
            #expect(id == Self.id(spellings[0]), "\(spelling)")
            #expect(Self.id(spelling).hashValue == Self.id(spellings[0]).hashValue)
        }
    }

    @Test("keeps different ids apart")
    func distinct() {
        let ids = [
            "0", "1", "-1", "10", "1.5", "-1.5", "9007199254740992", "9007199254740993", "9223372036854775807",
            "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551617", "1e9999",
            "1e-9999", "0.1", "\"\"", "\"0\"", "\"1\"", "\"1.0\"", "\"a\"", "\"A\"", "\"é\"", "\"e\u{301}\"",
            "\"a\\u0000\"", "\"\\u0000\"", "\"\\u0000\\u0000\"", "\"123456789012345\"", "\"1234567890123456\"",
            "\"123456789012345\\u0000\"", "\"null\"",
        ]
        #expect(Set(ids.compactMap(Self.id)).count == ids.count)
    }

    @Test(
        "reads nothing that cannot be an id",
        arguments: [
            "null", "true", "false", "{}", "[]", "\"\\ud800\"", "\"\\ud800\\ud800\"", "1e10000", "1e-10000", "0e10000",
        ])
    func unreadable(_ json: String) {
        #expect(Self.id(json) == nil)
    }

    @Test("takes up to 1024 bytes as sent")
    func length() {
        #expect(Self.id("\"" + String(repeating: "a", count: 1022) + "\"") != nil)
        #expect(Self.id("\"" + String(repeating: "a", count: 1023) + "\"") == nil)
        #expect(Self.id(String(repeating: "1", count: 1024)) != nil)
        #expect(Self.id(String(repeating: "1", count: 1025)) == nil)
        #expect(RequestID(.absent, in: buffer("")) == nil)
    }

    @Test("gives integers back, however they were spelled")
    func integers() {
        #expect(Self.id("42") == .integer(42))
        #expect(Self.id("4.2e1")?.integerValue == 42)
        #expect(Self.id("-9223372036854775808")?.integerValue == .min)
        #expect(Self.id("9223372036854775808")?.integerValue == nil)
        #expect(Self.id("\"42\"")?.integerValue == nil)
    }
}
