internal import Glibc

/// The control channel's client end, blocking: what the commands use. Every call has a deadline
/// (``ControlTime/monotonic()``) and fails with a ``ControlError``.
final class ControlClient {
    /// A status of sixteen sinks has a few kilobytes, a refusal with a thousand problems some hundred.
    private static let limit = 8 * 1024 * 1024

    private let path: String
    private let descriptor: Int32
    private var received: [UInt8] = []
    private var isAtEnd = false

    /// Connects. Fails at once when nobody listens.
    init(_ path: String) throws(ControlError) {
        self.path = path
        let address = try ControlAddress(path)
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = socket(AF_UNIX, flags, 0)
        guard descriptor >= 0 else { throw .system("socket", path, errno) }
        // A Unix socket connects at once or not at all. Every property is set by now, hence deinit closes it.
        guard address.with({ connect(descriptor, $0, $1) }) == 0 else { throw .system("connect", path, errno) }
    }

    deinit { close(descriptor) }

    /// The status now.
    func status(until deadline: UInt64) throws(ControlError) -> StatusReport {
        try send(ControlRequest(op: .status), until: deadline)
        guard let status = try reply(until: deadline).status else { throw unexpected() }
        return status
    }

    /// Subscribes: an outcome after this call has returned is not missed.
    func subscribe(until deadline: UInt64) throws(ControlError) {
        try send(ControlRequest(op: .reloads), until: deadline)
        guard try reply(until: deadline).subscribed == true else { throw unexpected() }
    }

    /// The next outcome of a reload, after ``subscribe(until:)``.
    func outcome(until deadline: UInt64) throws(ControlError) -> ReloadReport {
        guard let report = try reply(until: deadline).reload else { throw unexpected() }
        return report
    }

    private func send(_ request: ControlRequest, until deadline: UInt64) throws(ControlError) {
        guard var line = try? ControlJSON.line(request) else {
            // A request is one fixed word.
            throw unexpected()
        }
        line.append(UInt8(ascii: "\n"))
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                guard Readiness.wait(descriptor, POLLOUT, until: deadline) else { throw late() }
            } else if errno == EPIPE || errno == ECONNRESET {
                // The server may have said why before it closed.
                return
            } else if errno != EINTR {
                throw .system("send", path, errno)
            }
        }
    }

    private func reply(until deadline: UInt64) throws(ControlError) -> ControlReply {
        let line = try line(until: deadline)
        let reply: ControlReply
        do {
            reply = try ControlJSON.decode(ControlReply.self, from: line)
        } catch {
            throw unexpected()
        }
        if let reason = reply.error { throw ControlError(.badExchange, "\(path): \(reason)") }
        return reply
    }

    private func line(until deadline: UInt64) throws(ControlError) -> ArraySlice<UInt8> {
        var searched = 0
        while true {
            if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { received = Array(received[(end + 1)...]) }
                return received[..<end]
            }
            searched = received.count
            guard !isAtEnd else { throw ControlError(.ended, "\(path) was closed before the answer came") }
            guard received.count < Self.limit else { throw unexpected() }
            guard Readiness.wait(descriptor, POLLIN, until: deadline) else { throw late() }
            var chunk = [UInt8](repeating: 0, count: 16 * 1024)
            let count = read(descriptor, &chunk, chunk.count)
            if count > 0 {
                received += chunk[..<count]
            } else if count == 0 || errno == ECONNRESET {
                isAtEnd = true
            } else if errno != EAGAIN, errno != EINTR {
                throw .system("read", path, errno)
            }
        }
    }

    private func late() -> ControlError {
        ControlError(.timedOut, "\(path): no answer in time")
    }

    private func unexpected() -> ControlError {
        ControlError(.badExchange, "\(path): the answer is not what this version expects; is it the same gatekit?")
    }
}
