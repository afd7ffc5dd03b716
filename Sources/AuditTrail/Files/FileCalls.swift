import CFileSpace
import Glibc

/// The system calls that fail in ways no test can arrange with a real file system.
struct FileCalls: Sendable {
    /// write(2): the bytes taken, or a negative errno. Interrupted calls are repeated.
    var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int
    /// Allocates blocks behind the end of the file without moving it; 0 or an errno.
    var reserve: @Sendable (_ descriptor: Int32, _ offset: Int, _ length: Int) -> Int32
    /// What an ordinary user may still write to the file system, in bytes.
    var freeBytes: @Sendable (_ descriptor: Int32) -> Int
    /// The largest size that this process may give a file (RLIMIT_FSIZE), in bytes.
    var sizeLimit: @Sendable () -> Int
    /// fdatasync(2), or fsync(2) for a directory, which has no other; 0 or an errno.
    var synchronize: @Sendable (_ descriptor: Int32, _ isDirectory: Bool) -> Int32
    /// rename(2); 0 or an errno.
    var rename: @Sendable (_ from: String, _ to: String) -> Int32
    /// link(2); 0 or an errno.
    var link: @Sendable (_ from: String, _ to: String) -> Int32

    static let system = FileCalls(
        write: { descriptor, bytes in
            while true {
                let taken = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
                if taken >= 0 { return taken }
                if errno != EINTR { return -Int(errno) }
            }
        },
        reserve: { cfilespace_reserve($0, Int64($1), Int64($2)) },
        freeBytes: { descriptor in
            var space = statvfs()
            guard fstatvfs(descriptor, &space) == 0 else { return 0 }
            return Int(
                clamping: UInt64(space.f_bavail).multipliedReportingOverflow(by: UInt64(space.f_frsize)).partialValue)
        },
        sizeLimit: {
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { return Int.max }
            return Int(clamping: limit.rlim_cur)
        },
        synchronize: { descriptor, isDirectory in
            while (isDirectory ? fsync(descriptor) : fdatasync(descriptor)) != 0 {
                if errno != EINTR { return errno }
            }
            return 0
        },
        rename: { Glibc.rename($0, $1) == 0 ? 0 : errno }, link: { Glibc.link($0, $1) == 0 ? 0 : errno })
}

/// An open file that is closed when the last one who needs it lets go: the sink, or a sync still running.
final class Descriptor: Sendable {
    let number: Int32

    /// Takes over an open descriptor.
    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }
}
