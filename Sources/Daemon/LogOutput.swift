internal import Glibc
internal import Synchronization

/// stderr, as the log writes to it: a whole line in one write(2), so that lines of several threads never mix, and never
/// a wait. Whoever started us may not read it, and a full pipe must not stop the gateway.
enum LogOutput {
    private static let dropped = Atomic<Int>(0)

    /// Writes a line with its newline, or counts it as dropped.
    static func write(_ line: [UInt8]) {
        guard isWritable else {
            dropped.wrappingAdd(1, ordering: .relaxed)
            return
        }
        let missing = dropped.exchange(0, ordering: .relaxed)
        if missing > 0 {
            put(Array("[WARNING] gatekit.log: \(missing) lines were dropped: stderr was not read\n".utf8))
        }
        put(line)
    }

    /// A pipe is writable when it has room for PIPE_BUF bytes (pipe(7)); longer lines go in such pieces.
    private static var isWritable: Bool {
        var watched = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return poll(&watched, 1, 0) > 0 && watched.revents & Int16(POLLOUT) != 0
    }

    private static func put(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int(PIPE_BUF))
            let count = piece.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, count))
            if !rest.isEmpty, !isWritable { return }
        }
    }
}
