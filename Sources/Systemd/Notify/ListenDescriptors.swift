internal import CSystemd
internal import Glibc

/// A descriptor that the service manager passed is not what its name promises.
public struct ListenDescriptorError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What a person reads: names the descriptor and the unit's line to look at.
    public let description: String

    /// Takes what a person reads.
    public init(description: String) {
        self.description = description
    }
}

/// The listening sockets of the service's `.socket` units. sd_listen_fds_with_names(3).
///
/// They are told apart by `FileDescriptorName=`, since systemd passes them in no particular order. The environment is
/// left as it is: after execve the new image finds the same descriptors again, if ``keepOverExecution()`` was called.
/// For the same reason none of them may be closed while the process lives.
public struct ListenDescriptors: Hashable, Sendable {
    /// One passed descriptor.
    public struct Entry: Hashable, Sendable {
        /// 3 or above; owned by the process, close-on-exec.
        public var descriptor: Int32
        /// `FileDescriptorName=`, by default the name of the socket unit.
        public var name: String
    }

    /// What was passed, in the manager's order; empty when the service was not started through a socket.
    public let entries: [Entry]

    /// What the manager passed to this process. Throws a ``ListenDescriptorError`` when the passing itself is malformed.
    public static func received() throws -> ListenDescriptors {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(0, &names)
        guard count >= 0 else {
            throw ListenDescriptorError(
                description: "the service manager passed sockets in a way that cannot be read "
                    + "(LISTEN_FDS, LISTEN_FDNAMES): \(String(cString: strerror(-count)))")
        }
        defer {
            // The array and its strings are the caller's. sd_listen_fds_with_names(3).
            for index in 0..<Int(count) { free(names?[index]) }
            free(names)
        }
        let first: Int32 = 3  // SD_LISTEN_FDS_START
        return try ListenDescriptors(
            entries: (0..<count).map { index in
                Entry(
                    descriptor: first + index,
                    name: names?[Int(index)].map { String(cString: $0) } ?? "unknown")
            })
    }

    /// Takes descriptors over: sets close-on-exec, or an upstream would inherit the door.
    init(entries: [Entry]) throws {
        self.entries = entries
        for entry in entries { try Self.setCloseOnExec(entry, true) }
    }

    /// The descriptor called `name`, which must be a listening stream socket of family AF_UNIX; nil when none is called
    /// so. Throws a ``ListenDescriptorError`` for another kind, or when several are called so.
    public func unixListener(named name: String) throws -> Int32? {
        let matches = entries.filter { $0.name == name }
        guard let entry = matches.first else { return nil }
        guard matches.count == 1 else {
            let numbers = matches.map { "\($0.descriptor)" }.joined(separator: ", ")
            throw ListenDescriptorError(
                description: "the service manager passed \(matches.count) sockets named '\(name)' (descriptors "
                    + "\(numbers)): give one ListenStream= that FileDescriptorName=")
        }
        let isListener = sd_is_socket_unix(entry.descriptor, streamType, 1, nil, 0)
        guard isListener > 0 else {
            let why = isListener < 0 ? ": \(String(cString: strerror(-isListener)))" : ""
            throw ListenDescriptorError(
                description: "descriptor \(entry.descriptor) named '\(name)', passed by the service manager, is not a "
                    + "listening Unix stream socket\(why): use ListenStream= with a path, and Accept=no")
        }
        return entry.descriptor
    }

    /// Lets the descriptors survive the execve that follows at once; ``received()`` takes them over again.
    public func keepOverExecution() throws {
        for entry in entries { try Self.setCloseOnExec(entry, false) }
    }

    private static func setCloseOnExec(_ entry: Entry, _ isOn: Bool) throws {
        guard fcntl(entry.descriptor, F_SETFD, isOn ? FD_CLOEXEC : 0) == 0 else {
            throw ListenDescriptorError(
                description: "descriptor \(entry.descriptor) named '\(entry.name)', passed by the service manager, is "
                    + "not open: \(String(cString: strerror(errno)))")
        }
    }
}

/// sd_is_socket_unix(3) takes an int; Glibc's constant is an enumeration.
private let streamType = Int32(SOCK_STREAM.rawValue)
