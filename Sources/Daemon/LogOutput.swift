internal import Glibc
internal import Synchronization

/// stderr, as the log and the tool-call log write to it: whole lines that never mix, and never a wait. Whoever started
/// us may not read it, and a full pipe must not stop the gateway.
///
/// Any thread may call it. A line whose beginning was taken is ended before anything else is written.
final class LogOutput: Sendable {
    static let stderr = LogOutput(STDERR_FILENO)

    private struct State {
        /// The end of a line that was taken in part.
        var rest: [UInt8] = []
        /// Lines of the log that nobody saw.
        var dropped = 0
        /// The same since the process began.
        var everDropped: UInt64 = 0

        mutating func drop() {
            dropped += 1
            everDropped += 1
        }
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    /// Does not own the descriptor.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Lines of the log that nobody saw, since the process began.
    var droppedLines: UInt64 { state.withLock { $0.everDropped } }

    /// Writes a line with its newline, or counts it as dropped; the next one that is written is preceded by the count.
    func write(_ line: [UInt8]) {
        state.withLock { state in
            guard finish(&state) else {
                state.drop()
                return
            }
            guard state.dropped > 0 else {
                if line.withUnsafeBytes({ put($0, &state) }) == 0 { state.drop() }
                return
            }
            // In one write: a pipe may have room for one only.
            let lost = "[WARNING] gatekit.log: \(state.dropped) lines were dropped: stderr was not read\n"
            let both = Array(lost.utf8) + line
            switch both.withUnsafeBytes({ put($0, &state) }) {
            case 0: state.drop()
            case both.count: state.dropped = 0
            default:
                state.dropped = 0
                state.drop()
            }
        }
    }

    /// Writes as many of `lines` as there is room for, and what an earlier call left behind. Returns how many bytes it
    /// has taken, up to the end of a line.
    func write(lines: UnsafeRawBufferPointer) -> Int {
        state.withLock { state in
            guard finish(&state) else { return 0 }
            return put(lines, &state)
        }
    }

    /// Whether no line is left half written.
    private func finish(_ state: inout State) -> Bool {
        guard !state.rest.isEmpty else { return true }
        let rest = state.rest
        state.rest = []
        rest.withUnsafeBytes { bytes in
            let count = send(bytes)
            state.rest = Array(bytes[count...])
        }
        return state.rest.isEmpty
    }

    /// Takes whole lines: of one that was taken in part, the end is kept.
    private func put(_ lines: UnsafeRawBufferPointer, _ state: inout State) -> Int {
        let count = send(lines)
        guard count > 0, count < lines.count, lines[count - 1] != 0x0A else { return count }
        let end = lines[count...].firstIndex(of: 0x0A).map { $0 + 1 } ?? lines.count
        state.rest = Array(lines[count..<end])
        return end
    }

    private func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        var at = 0
        while at < bytes.count, isWritable {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[at..<Self.pieceEnd(bytes, at)])
            let count = Glibc.write(descriptor, piece.baseAddress, piece.count)
            if count > 0 {
                at += count
            } else if errno != EINTR {
                break
            }
        }
        return at
    }

    /// As many whole lines as a pipe takes at once without mixing them with another process's, or a part of a long one.
    private static func pieceEnd(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let most = min(bytes.count, start + Int(PIPE_BUF))
        return bytes[start..<most].lastIndex(of: 0x0A).map { $0 + 1 } ?? most
    }

    /// A pipe is writable when it has room for PIPE_BUF bytes (pipe(7)).
    private var isWritable: Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&watched, 1, 0) > 0 && watched.revents & Int16(POLLOUT) != 0
    }
}
