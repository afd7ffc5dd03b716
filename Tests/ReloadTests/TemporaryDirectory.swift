import FoundationEssentials
import Glibc

/// A directory of its own for one test, removed with everything in it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/gatekit-reload-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    struct Failure: Error {
        var code: Int32
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        guard let stream = fopen(file, "w") else { throw Failure(code: errno) }
        defer { fclose(stream) }
        guard fwrite(bytes, 1, bytes.count, stream) == bytes.count else { throw Failure(code: errno) }
        return file
    }

    func remove(_ name: String) throws {
        guard unlink("\(path)/\(name)") == 0 else { throw Failure(code: errno) }
    }

    @discardableResult
    func makeDirectory(_ name: String) throws -> String {
        guard mkdir("\(path)/\(name)", 0o700) == 0 else { throw Failure(code: errno) }
        return "\(path)/\(name)"
    }

    deinit {
        // What cannot be removed stays in /tmp, which is no failure of the test.
        try? FileManager.default.removeItem(atPath: path)
    }
}
