import Glibc
import Testing

@testable import ControlPlane

@Suite("Holds on processes")
struct ProcessHandleTests {
    @Test("signal the process and see its end")
    func end() throws {
        let child = try ChildProcess()
        let handle = try #require(ProcessHandle(child.identity()))
        #expect(!handle.waitForExit(until: 0))
        try handle.signal(SIGTERM)
        #expect(handle.waitForExit(until: soon()))
        #expect(ProcessIdentity.of(child.pid) == nil)
        #expect(ProcessHandle(ProcessIdentity(pid: child.pid, startTime: 0, bootID: nil)) == nil)
    }

    @Test("are not taken of a process that started at another time")
    func other() throws {
        let child = try ChildProcess()
        var identity = try child.identity()
        identity.startTime += 1
        #expect(ProcessHandle(identity) == nil)
    }
}
