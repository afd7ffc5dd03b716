internal import CJournal
internal import Glibc

/// A datagram socket that is connected to the journal. Closed when it is released.
struct JournalSocket: ~Copyable {
    let number: Int32

    /// Why a connection could not be made.
    struct Failure: Error {
        let code: Int32
    }

    /// Connects, which never waits for a datagram socket.
    init(path: String) throws(Failure) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw Failure(code: ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = socket(AF_UNIX, type, 0)
        guard number >= 0 else { throw Failure(code: errno) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 ? 0 : errno
            }
        }
        guard code == 0 else {
            close(number)
            throw Failure(code: code)
        }
        self.number = number
    }

    deinit {
        close(number)
    }

    /// Sends one entry as a datagram, or in a sealed file where it is too large for one; 0 or an errno.
    borrowing func send(_ entry: UnsafeRawBufferPointer) -> Int32 {
        while Glibc.send(number, entry.baseAddress, entry.count, Int32(MSG_NOSIGNAL)) < 0 {
            switch errno {
            case EINTR: continue
            case EMSGSIZE: return cjournal_send_file(number, entry.baseAddress, entry.count)
            case let code: return code
            }
        }
        return 0
    }
}

/// A counter that wakes a thread in poll(2). Closed when it is released.
final class JournalWaker: Sendable {
    let number: Int32

    init() {
        number = cjournal_waker()
        // Only a process without a free descriptor gets none, and such a one serves nobody.
        precondition(number >= 0, "no event descriptor: \(JournalWriter.text(of: errno))")
    }

    deinit {
        close(number)
    }

    func wake() {
        var one: UInt64 = 1
        // Fails when the counter is full, and then it wakes.
        _ = write(number, &one, 8)
    }

    func clear() {
        var count: UInt64 = 0
        // Fails when nobody woke, which is as clear as it gets.
        _ = read(number, &count, 8)
    }
}
