import Glibc
import Testing

/// What stands in for journald: a datagram socket in a directory of its own, and the native protocol read back.
final class JournalReceiver {
    /// One entry's fields, in the order in which they came.
    typealias Fields = [(name: String, value: [UInt8])]

    let path: String
    private let directory: String
    private var number: Int32 = -1

    init(listening: Bool = true) {
        var template = Array("/tmp/gatekit-journal-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no scratch directory")
        directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }  // mkdtemp has filled it.
        path = "\(directory)/socket"
        if listening { listen() }
    }

    deinit {
        vanish()
        rmdir(directory)
    }

    func listen() {
        number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        precondition(code == 0, "cannot bind \(path)")
        // A test that waits for what never comes must fail, not hang.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// As when journald is stopped together with its socket.
    func vanish() {
        guard number >= 0 else { return }
        close(number)
        unlink(path)
        number = -1
    }

    /// The next entry, and whether it came in a file.
    func next() throws -> (fields: Fields, isFile: Bool) {
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        var control = [UInt8](repeating: 0, count: 64)
        var passed: Int32 = -1
        let count = buffer.withUnsafeMutableBytes { buffer in
            control.withUnsafeMutableBytes { control in
                var vector = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    let count = recvmsg(number, &message, 0)
                    // The header of 16 bytes, then the descriptor: CMSG_DATA, which Swift does not see.
                    if count >= 0, message.msg_controllen >= 20 {
                        passed = control.loadUnaligned(fromByteOffset: 16, as: Int32.self)
                    }
                    return count
                }
            }
        }
        try #require(count >= 0, "nothing came")
        guard passed >= 0 else { return (try Self.parse(Array(buffer[..<count])), false) }
        defer { close(passed) }
        return (try Self.parse(try Self.contents(passed)), true)
    }

    private static func contents(_ file: Int32) throws -> [UInt8] {
        let sealed: Int32 = 0xF  // F_SEAL_SEAL, SHRINK, GROW and WRITE, by F_GET_SEALS: fcntl(2).
        #expect(fcntl(file, 1034) == sealed, "journald refuses a file that may change")
        var info = stat()
        try #require(fstat(file, &info) == 0)
        var bytes = [UInt8](repeating: 0, count: Int(info.st_size))
        try #require(pread(file, &bytes, bytes.count, 0) == bytes.count)
        return bytes
    }

    private static func parse(_ bytes: [UInt8]) throws -> Fields {
        var fields: Fields = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = try #require(rest.firstIndex { $0 == 0x0A || $0 == UInt8(ascii: "=") })
            let name = String(decoding: rest[..<end], as: UTF8.self)
            let isSized = rest[end] == 0x0A
            rest = rest[(end + 1)...]
            if isSized {
                let length = Int(rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
                rest = rest.dropFirst(8)
                fields.append((name, Array(rest.prefix(length))))
                rest = rest.dropFirst(length)
                try #require(rest.first == 0x0A, "a sized value ends with a newline")
                rest = rest.dropFirst()
            } else {
                let line = try #require(rest.firstIndex(of: 0x0A))
                fields.append((name, Array(rest[..<line])))
                rest = rest[(line + 1)...]
            }
        }
        return fields
    }
}

extension JournalReceiver {
    /// The value of an entry's only field.
    func text() throws -> String {
        let entry = try next()
        #expect(entry.fields.count == 1)
        return String(decoding: entry.fields[0].value, as: UTF8.self)
    }
}
