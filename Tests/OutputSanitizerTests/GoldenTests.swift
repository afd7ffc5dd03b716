import Foundation
import JSONRPCWire
import NIOCore
import Testing

@testable import OutputSanitizer

@Suite("Golden vectors")
struct GoldenTests {
    /// Input and output as they are spelled in the file.
    struct Vector: CustomTestStringConvertible {
        var tag: String
        var input: String
        var output: String

        var testDescription: String { "\(tag): \(input.prefix(80))" }
    }

    static func vectors() throws -> [Vector] {
        let file = Bundle.module.resourceURL!.appendingPathComponent("Golden/sanitize.jsonl")  // copied by the manifest
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            let bytes = ByteBuffer(string: String(line))
            let whole = ByteRange(0, bytes.readableBytes)
            func member(_ name: String) throws -> String {
                let range = JSONText.member(name, of: whole, in: bytes)
                return try #require(bytes.getString(at: Int(range.lower), length: range.count))
            }
            return Vector(tag: try member("tag"), input: try member("in"), output: try member("out"))
        }
    }

    @Test("there are as many as there should be")
    func count() throws {
        #expect(try Self.vectors().count == 589)
    }

    @Test("a vector as structured content gives its output, byte for byte", arguments: try vectors())
    func structured(_ vector: Vector) throws {
        let head = #""result":{"structuredContent":"#
        #expect(try sanitized(head + vector.input + "}") == head + vector.output + "}")
    }

    @Test("a string as text of a block gives its output", arguments: try vectors().filter { $0.input.hasPrefix("\"") })
    func text(_ vector: Vector) throws {
        let output = String(vector.output.dropFirst().dropLast())
        #expect(try sanitizedString(String(vector.input.dropFirst().dropLast())) == output)
    }
}
