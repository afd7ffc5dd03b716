internal import Glibc
internal import JSONRPCWire
internal import NIOCore

/// Serves one client on two descriptors until its input ends. Blocks its thread.
struct StdioLoop {
    private let input: Int32
    private let output: Int32
    private static let chunkBytes = 65536

    init(input: Int32, output: Int32) {
        self.input = input
        self.output = output
    }

    /// Returns when the input has ended and all is answered.
    func run(_ server: consuming FilesystemServer) throws(FilesystemError) {
        var framer = LineFramer(maxMessageBytes: FilesystemServer.maxMessageBytes)
        while let chunk = try read() {
            framer.append(chunk)
            while let frame = framer.next() { try answer(frame, &server) }
        }
        while let frame = framer.finish() { try answer(frame, &server) }
    }

    private func answer(_ frame: LineFramer.Frame, _ server: inout FilesystemServer) throws(FilesystemError) {
        let reply =
            switch frame {
            case .line(let line): server.answer(line)
            case .oversize(let head): server.answerOversize(head: head)
            }
        guard var reply else { return }
        reply.writeStaticString("\n")
        try write(reply)
    }

    /// What there is to read, or `nil` at the end.
    private func read() throws(FilesystemError) -> ByteBuffer? {
        while true {
            var buffer = ByteBuffer()
            var failure: Int32 = 0
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.chunkBytes) { room in
                let count = Glibc.read(input, room.baseAddress, room.count)
                if count < 0 { failure = errno }
                return max(count, 0)
            }
            if failure == 0 { return count == 0 ? nil : buffer }
            try wait(failure, input, Int16(POLLIN), "read stdin")
        }
    }

    private func write(_ reply: ByteBuffer) throws(FilesystemError) {
        var rest = reply
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes { Glibc.write(output, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest.moveReaderIndex(forwardBy: count)
            } else {
                try wait(errno, output, Int16(POLLOUT), "write stdout")
            }
        }
    }

    /// After a failed call: returns when it may be tried again. A pipe may be non-blocking, since that is the setting of
    /// both its ends' openers and not ours alone.
    private func wait(
        _ failure: Int32, _ descriptor: Int32, _ event: Int16, _ action: String
    ) throws(FilesystemError) {
        switch failure {
        case EINTR: return
        case EAGAIN:
            var entry = pollfd(fd: descriptor, events: event, revents: 0)
            // Interrupted or not, the next read or write tells.
            _ = poll(&entry, 1, -1)
        default:
            throw FilesystemError(.system, "cannot \(action): \(String(cString: strerror(failure)))")
        }
    }
}
