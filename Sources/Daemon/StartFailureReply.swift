internal import Glibc
internal import JSONRPCWire
internal import LineDoors
internal import NIOCore

/// Tells a client that has just launched us why there is no gateway: as the error to the `initialize` that it is
/// waiting for, so that the reason reaches the person in front of it.
enum StartFailureReply {
    /// Waits for one line on stdin, at most two seconds, and answers it when it is a request.
    static func send(_ reason: String, over descriptors: StdioDescriptors) {
        var status = stat()
        guard fstat(descriptors.input, &status) == 0 else { return }
        let kind = status.st_mode & S_IFMT
        // A person at a terminal reads stderr; a file or a device is no waiting client.
        guard kind == S_IFIFO || kind == S_IFSOCK else { return }
        guard let line = firstLine(of: descriptors.input) else { return }
        guard case .message(let scan) = MessageScanner(maxDepth: 128).scan(line), scan.kind == .request else { return }
        var reply = ErrorReply.bytes(
            id: Lexeme(scan[.id], in: line), code: -32603, message: reason, data: [("reason", "upstream_unavailable")])
        reply.writeInteger(UInt8(ascii: "\n"))
        reply.withUnsafeReadableBytes { bytes in
            // One small write to a pipe whose reader waits for it; if it fails, stderr still has the reason.
            _ = write(descriptors.output, bytes.baseAddress, bytes.count)
        }
    }

    private static func firstLine(of descriptor: Int32) -> ByteBuffer? {
        var framer = LineFramer(maxMessageBytes: 1024 * 1024)
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let deadline = now() + 2000
        while true {
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = deadline - now()
            guard left > 0, poll(&watched, 1, Int32(left)) > 0 else { return nil }
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return nil }
            framer.append(ByteBuffer(bytes: chunk.prefix(count)))
            if case .line(let line)? = framer.next() { return line }
        }
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
