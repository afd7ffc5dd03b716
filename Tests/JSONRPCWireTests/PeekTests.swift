import JSONRPCWire
import NIOCore
import Testing

@Suite("Peek")
struct PeekTests {
    struct Expected: Sendable {
        var id: String?
        var method: String?
        var hasMethod = false
        var isResponse = false
    }

    @Test(
        "tells what the head of an oversize message holds",
        arguments: [
            (
                #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"x":"aaaa"#,
                Expected(id: "7", method: "\"tools/call\"", hasMethod: true)
            ),
            (#"{"jsonrpc":"2.0","id":"a\"b","result":{"x":"aaaa"#, Expected(id: #""a\"b""#, isResponse: true)),
            (#"{"id":1.50,"error":{"#, Expected(id: "1.50", isResponse: true)),
            (#"{"params":{"id":9,"method":"x"},"id":7 ,"me"#, Expected(id: "7")),
            (#" { "id" : -1 , "method" : "m" , "#, Expected(id: "-1", method: "\"m\"", hasMethod: true)),
            (#"{"\u0069d":7,"m\u0065thod":"m","x":"#, Expected(id: "7", method: "\"m\"", hasMethod: true)),
            (#"{"x":[[{"id":1}],"]",{}],"id":7}"#, Expected(id: "7")),
            (#"{"id":7"#, Expected()), (#"{"id":7,"#, Expected(id: "7")), (#"{"id":"a"#, Expected()),
            (#"{"id":null,"method":1,"x"#, Expected(hasMethod: true)),
            (#"{"id":7,"method":"tools/c"#, Expected(id: "7", hasMethod: true)),
            (#"{"id":7,"method":"#, Expected(id: "7", hasMethod: true)),
            (#"{"id":7,"result":"x","method":"m","#, Expected(id: "7", method: "\"m\"", hasMethod: true)),
            (#"{"id":7,"id":8,"method":"m","#, Expected(method: "\"m\"", hasMethod: true)),
            (#"{"id":7,"\u0069d":7,"#, Expected()), (#"{"id":7,"id"#, Expected(id: "7")),
            (#"{"id":7,"id":8"#, Expected()), (#"{"id":"\ud800","x":1,"#, Expected()),
            (#"{"x":"\q","id":7,"#, Expected()), (#"{"x":[1}],"id":7,"#, Expected()), ("", Expected()),
            ("{", Expected()), ("{}", Expected()), (#"[{"id":7,"#, Expected()), ("x", Expected()),
            ("{\"id\"", Expected()),
        ] as [(String, Expected)])
    func heads(_ head: String, _ expected: Expected) {
        let bytes = buffer(head)
        let peek = MessageScanner.standard.peek(bytes)
        #expect(text(peek.id, of: bytes) == expected.id)
        #expect(text(peek.method, of: bytes) == expected.method)
        #expect(peek.hasMethod == expected.hasMethod)
        #expect(peek.isResponse == expected.isResponse)
    }

    @Test("never tells a wrong id, wherever the head is cut")
    func cuts() {
        let message = Array(
            #"{"jsonrpc":"2.0","x":[{"id":3},"]}"],"id":1234,"method":"tools/call","y":"\u00e9é"}"#.utf8)
        for length in 0...message.count {
            let bytes = buffer(message.prefix(length))
            let peek = MessageScanner.standard.peek(bytes)
            #expect([nil, "1234"].contains(text(peek.id, of: bytes)))
            #expect([nil, "\"tools/call\""].contains(text(peek.method, of: bytes)))
            #expect(!peek.isResponse)
        }
    }
}
