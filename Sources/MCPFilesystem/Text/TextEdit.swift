internal import Glibc

/// One replacement in a text.
struct TextEdit: Hashable, Sendable {
    let oldText: String
    let newText: String

    /// Applies all edits, each to what the one before has left.
    ///
    /// An edit must find its text exactly once, byte by byte. A file whose lines end with CR LF is searched with those
    /// line ends where the edit brings LF only, and keeps them.
    static func apply(_ edits: [TextEdit], to text: [UInt8], given: String) throws(FilesystemError) -> [UInt8] {
        var text = text
        for (index, edit) in edits.enumerated() {
            let label = edits.count == 1 ? "oldText" : "oldText of edit \(index + 1)"
            guard !edit.oldText.isEmpty else { throw .invalid("\(label) must not be empty") }
            text = try edit.apply(to: text, label: label, given: given)
        }
        return text
    }

    private func apply(to text: [UInt8], label: String, given: String) throws(FilesystemError) -> [UInt8] {
        var old = Array(oldText.utf8)
        var new = Array(newText.utf8)
        var found = Self.occurrences(of: old, in: text)
        if found.isEmpty, !old.contains(UInt8(ascii: "\r")) {
            old = Self.withCarriageReturns(old)
            new = Self.withCarriageReturns(new)
            found = Self.occurrences(of: old, in: text)
        }
        guard let place = found.first else {
            throw .invalid("\(label) is not in \"\(given)\"; it must match exactly, blanks and line ends included")
        }
        guard found.count == 1 else {
            throw .invalid(
                "\(label) is in \"\(given)\" more than once; add lines around it until it names one place")
        }
        return Array(text[..<place]) + new + Array(text[(place + old.count)...])
    }

    /// Where `part` begins, at most the first two places.
    private static func occurrences(of part: [UInt8], in text: [UInt8]) -> [Int] {
        var found: [Int] = []
        text.withUnsafeBytes { text in
            part.withUnsafeBytes { part in
                guard let base = text.baseAddress, let first = part.baseAddress else { return }
                var start = 0
                // All reads are of at most the bytes that are left from `start` on.
                while found.count < 2, start + part.count <= text.count,
                    let next = memchr(base + start, Int32(part[0]), text.count - part.count - start + 1)
                {
                    start = UnsafeRawPointer(next) - base
                    if memcmp(next, first, part.count) == 0 { found.append(start) }
                    start += 1
                }
            }
        }
        return found
    }

    private static func withCarriageReturns(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for byte in text {
            if byte == UInt8(ascii: "\n"), result.last != UInt8(ascii: "\r") { result.append(UInt8(ascii: "\r")) }
            result.append(byte)
        }
        return result
    }
}
