internal import Glibc
internal import JSONRPCWire
internal import LineDoors
internal import NIOCore
internal import StandardStreams

/// Tells a client that has just launched us why there is no gateway: as the error to the `initialize` that it is
/// waiting for, so that the reason reaches the person in front of it.
enum StartFailureReply {
    /// Answers the requests that come on stdin within two seconds, up to `initialize`.
    static func send(_ reason: String, over descriptors: StdioDescriptors) {
        var status = stat()
        guard fstat(descriptors.input, &status) == 0 else { return }
        let kind = status.st_mode & S_IFMT
        // A person at a terminal reads stderr; a file or a device is no waiting client.
        guard kind == S_IFIFO || kind == S_IFSOCK else { return }
        var lines = StartLines(descriptor: descriptors.input, deadline: now() + 2000)
        // Clients of the modern era ask with server/discover first and then fall back to initialize.
        while let line = lines.next() {
            guard case .message(let scan) = MessageScanner(maxDepth: 128).scan(line), scan.kind == .request else {
                continue
            }
            let isInitialize = JSONText.equals(scan[.method], "initialize", in: line)
            answer(
                line, scan, isInitialize ? reason : "method not found", code: isInitialize ? -32603 : -32601,
                over: descriptors)
            if isInitialize { return }
        }
    }

    private static func answer(
        _ line: ByteBuffer, _ scan: MessageScan, _ message: String, code: Int, over descriptors: StdioDescriptors
    ) {
        let data = code == -32603 ? [("reason", "upstream_unavailable")] : []
        var reply = ErrorReply.bytes(id: Lexeme(scan[.id], in: line), code: code, message: message, data: data)
        reply.writeInteger(UInt8(ascii: "\n"))
        reply.withUnsafeReadableBytes { bytes in
            // One small write to a pipe whose reader waits for it; if it fails, stderr still has the reason.
            _ = write(descriptors.output, bytes.baseAddress, bytes.count)
        }
    }

    /// The lines that come before a deadline.
    private struct StartLines {
        let descriptor: Int32
        let deadline: Int
        var framer = LineFramer(maxMessageBytes: 1024 * 1024)

        mutating func next() -> ByteBuffer? {
            while true {
                if case .line(let line)? = framer.next() { return line }
                var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let left = deadline - StartFailureReply.now()
                guard left > 0, poll(&watched, 1, Int32(left)) > 0 else { return nil }
                var chunk = [UInt8](repeating: 0, count: 16 * 1024)
                let count = read(descriptor, &chunk, chunk.count)
                guard count > 0 else { return nil }
                framer.append(ByteBuffer(bytes: chunk.prefix(count)))
            }
        }
    }

    fileprivate static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
