import Glibc

/// What stands in for journald: a datagram socket in a directory of its own, and a thread that empties it.
final class Drain {
    let path: String
    private let directory: String
    private let number: Int32

    init() {
        var template = Array("/tmp/gatekit-bench-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no scratch directory")
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        path = "\(directory)/socket"
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
        var thread = pthread_t()
        // The descriptor travels as the address itself.
        let context = UnsafeMutableRawPointer(bitPattern: Int(number))
        let failure = pthread_create(
            &thread, nil,
            { context in
                var buffer = [UInt8](repeating: 0, count: 64 * 1024)
                // Ends when `remove` shuts the socket down.
                while recv(Int32(Int(bitPattern: context)), &buffer, buffer.count, 0) > 0 {}
                return nil
            }, context)
        precondition(failure == 0, "no thread to empty \(path)")
        pthread_detach(thread)
    }

    /// Takes socket and directory away.
    func remove() {
        shutdown(number, Int32(SHUT_RDWR))
        unlink(path)
        rmdir(directory)
    }
}
