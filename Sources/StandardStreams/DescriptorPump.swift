internal import Glibc
internal import Synchronization

/// Makes any descriptor pollable. epoll refuses regular files (epoll_ctl(2), EPERM), and making a terminal
/// non-blocking would change it for everyone who shares it: a thread copies such ones to or from a socket instead.
public final class DescriptorPump: Sendable {
    /// The pollable end; whoever uses it closes it.
    public let descriptor: Int32
    /// nil when the descriptor was pollable by itself.
    private let thread: pthread_t?

    /// What can be polled for reading in place of `original`, which it takes over; nil when it cannot be used.
    public static func input(_ original: Int32) -> DescriptorPump? {
        make(original) { original, other in (from: original, to: other) }
    }

    /// What can be polled for writing in place of `original`, which it takes over; nil when it cannot be used.
    public static func output(_ original: Int32) -> DescriptorPump? {
        make(original) { original, other in (from: other, to: original) }
    }

    /// Waits until everything was copied: an output's last bytes must be in the file before the process ends. Not on
    /// the event loop.
    public func join() {
        if let thread { pthread_join(thread, nil) }
    }

    private init(descriptor: Int32, thread: pthread_t?) {
        self.descriptor = descriptor
        self.thread = thread
    }

    private static func make(
        _ original: Int32, _ direction: (Int32, Int32) -> (from: Int32, to: Int32)
    ) -> DescriptorPump? {
        var status = stat()
        guard fstat(original, &status) == 0 else { return nil }
        let kind = status.st_mode & S_IFMT
        if kind == S_IFIFO || kind == S_IFSOCK { return DescriptorPump(descriptor: original, thread: nil) }
        var pair: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { return nil }
        let (from, to) = direction(original, pair[1])
        guard let thread = start(Copy(from: from, to: to)) else { return nil }
        return DescriptorPump(descriptor: pair[0], thread: thread)
    }

    private static func start(_ copy: Copy) -> pthread_t? {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(copy).toOpaque()
        let result = pthread_create(&thread, nil, pumpMain, argument)
        guard result == 0 else {
            Unmanaged<Copy>.fromOpaque(argument).release()
            return nil
        }
        return thread
    }
}

/// What one pump thread does.
private final class Copy: Sendable {
    let from: Int32
    let to: Int32

    init(from: Int32, to: Int32) {
        self.from = from
        self.to = to
    }

    func run() {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(from, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0, writeAll(buffer, count) else { break }
        }
        close(from)
        // shutdown(2) tells the other end of the socket; a file needs none.
        shutdown(to, Int32(SHUT_WR))
        close(to)
    }

    private func writeAll(_ buffer: [UInt8], _ count: Int) -> Bool {
        var offset = 0
        while offset < count {
            let written = buffer.withUnsafeBytes { write(to, $0.baseAddress.map { $0 + offset }, count - offset) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return false }
            offset += written
        }
        return true
    }
}

/// A plain function, so that it belongs to no actor on its own thread.
private func pumpMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<Copy>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
