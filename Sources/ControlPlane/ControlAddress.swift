internal import Glibc

/// The address of a control socket. A path that does not fit is reached through a descriptor of its directory.
final class ControlAddress {
    private let directory: Int32
    private let text: String

    /// Fails when the directory of a long path cannot be opened, or even its last component does not fit.
    init(_ path: String) throws(ControlError) {
        (directory, text) = try Self.reach(path)
    }

    deinit { if directory >= 0 { close(directory) } }

    func with(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    private static func reach(_ path: String) throws(ControlError) -> (Int32, String) {
        // unix(7): sun_path holds 107 bytes and a zero.
        guard path.utf8.count > 107 else { return (-1, path) }
        let parent = ControlPlaces.directory(of: path)
        let name = ControlPlaces.name(of: path)
        guard name.utf8.count <= 80 else {
            throw ControlError(
                .systemCall, "\(path): a control socket's name has at most 80 bytes; choose a shorter --pid-file")
        }
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", parent, errno) }
        return (descriptor, "/proc/self/fd/\(descriptor)/\(name)")
    }
}
