import Glibc
import Testing

/// A folder that exists during `body`.
func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    var template = Array("/tmp/upstream-tests-XXXXXX".utf8CString)
    let path = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { removeTree(path) }
    return try await body(path)
}

private func removeTree(_ path: String) {
    // Never through a symbolic link: opendir would follow one, unlink does not.
    if unlink(path) == 0 { return }
    for name in names(in: path) { removeTree("\(path)/\(name)") }
    rmdir(path)
}

/// A file with that content, for a test to find or run. Neither may hold a single quote.
///
/// Written by another process: a descriptor of ours would be inherited for a moment by whatever another test is just
/// starting, and the kernel refuses to execute a file that somebody may write.
func write(_ text: String, to path: String, mode: mode_t) throws {
    let status = system("printf %s '\(text)' > '\(path)' && chmod \(String(mode, radix: 8)) '\(path)'")
    try #require(status == 0)
}

/// A small file's content, empty when it cannot be read.
func text(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
}

/// What is in a folder, nothing when it cannot be read.
func names(in path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
