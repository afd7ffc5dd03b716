internal import Glibc

/// Reading a regular file as text.
enum TextFile {
    private static let chunkBytes = 65536

    /// The whole file; never more than `cap` bytes.
    static func read(_ location: Location, cap: Int) throws(FilesystemError) -> [UInt8] {
        let descriptor = try open(location)
        return try read(descriptor, given: location.given, cap: cap)
    }

    /// The whole of an open file, checked to be a regular one.
    static func read(_ descriptor: borrowing Descriptor, given: String, cap: Int) throws(FilesystemError) -> [UInt8] {
        let size = try size(descriptor, given)
        guard size <= cap else { throw tooLarge(given, "\(size) bytes", cap) }
        // Asks for one byte more than there should be, since a file may grow meanwhile.
        let bytes = try bytes(of: descriptor, from: 0, count: cap + 1, given)
        guard bytes.count <= cap else { throw tooLarge(given, "more than \(cap) bytes", cap) }
        return bytes
    }

    /// The first `count` lines, without the last one's line feed; the file may be of any size.
    static func head(_ location: Location, lines count: Int, cap: Int) throws(FilesystemError) -> [UInt8] {
        let descriptor = try open(location)
        _ = try size(descriptor, location.given)
        var result: [UInt8] = []
        var left = count
        while true {
            let chunk = try bytes(of: descriptor, from: result.count, count: chunkBytes, location.given)
            for (index, byte) in chunk.enumerated() where byte == UInt8(ascii: "\n") {
                left -= 1
                guard left == 0 else { continue }
                result += chunk[..<index]
                guard result.count <= cap else { throw tooLarge(location.given, "\(count) lines at the start", cap) }
                return result
            }
            result += chunk
            guard result.count <= cap else { throw tooLarge(location.given, "\(count) lines at the start", cap) }
            if chunk.count < chunkBytes { return withoutLineFeed(result[...]) }
        }
    }

    /// The last `count` lines, without the last one's line feed; the file may be of any size.
    static func tail(_ location: Location, lines count: Int, cap: Int) throws(FilesystemError) -> [UInt8] {
        let descriptor = try open(location)
        let size = try size(descriptor, location.given)
        var length = min(size, chunkBytes)
        while true {
            let start = size - length
            let end = try bytes(of: descriptor, from: start, count: length, location.given)
            let text = withoutLineFeed(end[...])
            var left = count
            for index in text.indices.reversed() where text[index] == UInt8(ascii: "\n") {
                left -= 1
                if left == 0 { return Array(text[(index + 1)...]) }
            }
            if start == 0 { return text }
            guard length < cap else { throw tooLarge(location.given, "\(count) lines at the end", cap) }
            length = min(size, cap, length * 4)
        }
    }

    /// The bytes as a string; refuses what is not UTF-8.
    static func text(_ bytes: [UInt8], given: String) throws(FilesystemError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FilesystemError(.notText, "\"\(given)\" is not UTF-8 text; only text is served")
        }
        return text
    }

    private static func open(_ location: Location) throws(FilesystemError) -> Descriptor {
        // Looked at before it is opened, since opening alone can wake a FIFO's writer or start a device.
        try location.information().expectFile(location.given)
        return try location.open(O_RDONLY | O_NONBLOCK, "read")
    }

    /// The size of a regular file. The kind is checked again: between look and open it may have been exchanged.
    private static func size(_ descriptor: borrowing Descriptor, _ given: String) throws(FilesystemError) -> Int {
        let information = try descriptor.information(given, "read")
        try information.expectFile(given)
        return Int(clamping: information.size)
    }

    /// Up to `count` bytes; less only at the end of the file.
    private static func bytes(
        of descriptor: borrowing Descriptor, from offset: Int, count: Int, _ given: String
    ) throws(FilesystemError) -> [UInt8] {
        var result: [UInt8] = []
        while result.count < count {
            let wanted = min(count - result.count, 1_048_576)
            var number: Int32 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: wanted) { room, filled in
                var got: Int
                repeat {
                    got = pread(descriptor.number, room.baseAddress, wanted, off_t(offset + result.count))
                } while got < 0 && errno == EINTR
                if got < 0 { number = errno }
                filled = max(got, 0)
            }
            guard number == 0 else { throw .system(given, number, "read") }
            if piece.isEmpty { break }
            result += piece
        }
        return result
    }

    private static func withoutLineFeed(_ text: ArraySlice<UInt8>) -> [UInt8] {
        Array(text.last == UInt8(ascii: "\n") ? text.dropLast() : text)
    }

    private static func tooLarge(_ given: String, _ what: String, _ cap: Int) -> FilesystemError {
        FilesystemError(
            .tooLarge,
            "\"\(given)\" has \(what), more than the \(cap) that max_file_bytes allows; use head or tail for a part")
    }
}
