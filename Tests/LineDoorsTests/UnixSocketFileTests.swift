import GatewayConfiguration
import Glibc
import Testing

@testable import LineDoors

@Suite("UnixSocketFile")
struct UnixSocketFileTests {
    @Test("the file has its mode before anyone can connect, and is gone after the end")
    func mode() throws {
        try withDirectory { directory in
            let path = directory + "/mcp.sock"
            let file = try UnixSocketFile(UnixDoorSettings(path: path, mode: 0o640))
            var status = stat()
            #expect(lstat(path, &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o640)
            close(file.descriptor)
            file.remove()
            #expect(lstat(path, &status) != 0)
        }
    }

    @Test("a socket whose owner died is taken over")
    func stale() throws {
        try withDirectory { directory in
            let path = directory + "/mcp.sock"
            let dead = try UnixSocketFile(UnixDoorSettings(path: path))
            close(dead.descriptor)
            // The lock dies with its process; here it is let go of by hand, and the file stays as after a crash.
            close(dead.lock)
            let file = try UnixSocketFile(UnixDoorSettings(path: path))
            close(file.descriptor)
            file.remove()
        }
    }

    @Test("a living gateway's socket is not stolen, and neither is a stranger's")
    func living() throws {
        try withDirectory { directory in
            let path = directory + "/mcp.sock"
            let first = try UnixSocketFile(UnixDoorSettings(path: path))
            listen(first.descriptor, 1)
            #expect(refusal(path) == .alreadyServed)
            close(first.lock)
            // Without the lock it is a stranger who listens there.
            #expect(refusal(path) == .alreadyServed)
            close(first.descriptor)
            unlink(path)
        }
    }

    @Test("what is no socket is never removed")
    func notASocket() throws {
        try withDirectory { directory in
            let path = directory + "/mcp.sock"
            close(open(path, O_CREAT | O_WRONLY, 0o600))
            #expect(refusal(path) == .notASocket)
            #expect(access(path, F_OK) == 0)
        }
    }

    @Test("a file that somebody else put in our place is left alone at the end")
    func replaced() throws {
        try withDirectory { directory in
            let path = directory + "/mcp.sock"
            let file = try UnixSocketFile(UnixDoorSettings(path: path))
            unlink(path)
            close(open(path, O_CREAT | O_WRONLY, 0o600))
            close(file.descriptor)
            file.remove()
            #expect(access(path, F_OK) == 0)
        }
    }

    @Test("a path that no socket address can hold, and a group that does not exist, are refused")
    func settings() {
        #expect(refusal("/tmp/" + String(repeating: "x", count: 110)) == .pathTooLong)
        #expect(refusal("/tmp/x.sock", group: "no-such-group-here") == .unknownGroup)
    }

    private func refusal(_ path: String, group: String? = nil) -> DoorError.Code? {
        do {
            let file = try UnixSocketFile(UnixDoorSettings(path: path, group: group))
            close(file.descriptor)
            file.remove()
            return nil
        } catch {
            return error.code
        }
    }

    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/gatekit-door-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        let directory = String(cString: try #require(made))
        defer {
            for name in ["mcp.sock", "mcp.sock.lock"] { unlink("\(directory)/\(name)") }
            rmdir(directory)
        }
        try body(directory)
    }
}
