import Glibc
import Testing

@testable import ControlPlane

@Suite("Claims of starting instances")
struct InstanceClaimTests {
    private let scratch: ScratchDirectory
    private let home: String

    init() throws {
        scratch = try ScratchDirectory()
        home = scratch.directory("home")
    }

    private func places(explicit: String? = nil) -> ControlPlaces {
        ControlPlaces(explicit: explicit, environment: [:], home: home, workingDirectory: "/", root: scratch.path)
    }

    @Test("of a listening daemon exclude a second one, which is told the pid and the remedy")
    func exclusion() throws {
        let first = try InstanceClaim.take(places(), listens: true)
        #expect(first.pidFile == "\(home)/.gatekit/server.pid")
        #expect(first.controlSocket == "\(home)/.gatekit/server.control")
        try first.publish(.example(try .own()))
        let error = try #require(throws: ControlError.self) { try InstanceClaim.take(places(), listens: true) }
        #expect(error.code == .alreadyRunning)
        #expect(
            error.description
                == "another instance (pid \(getpid()), configuration /etc/gatekit/gatekit.yaml) holds "
                + "\(first.pidFile); stop it with 'gatekit stop --pid-file \(first.pidFile)', or give this one a "
                + "--pid-file of its own")
        first.release()
        #expect(access(first.pidFile, F_OK) != 0)
        let second = try InstanceClaim.take(places(), listens: true)
        #expect(second.notes.isEmpty)
        second.release()
    }

    @Test("beside a daemon that has not written its file yet say so")
    func unwritten() throws {
        let first = try InstanceClaim.take(places(), listens: true)
        let error = try #require(throws: ControlError.self) { try InstanceClaim.take(places(), listens: true) }
        #expect(error.description.contains("does not tell its pid (no file)"))
        first.release()
    }

    @Test("of stdio instances are their own, without a lock")
    func stdio() throws {
        let daemon = try InstanceClaim.take(places(), listens: true)
        let claim = try InstanceClaim.take(places(), listens: false)
        #expect(claim.pidFile == "\(home)/.gatekit/\(getpid()).pid")
        #expect(claim.lock == nil)
        daemon.release()
    }

    @Test("of a stdio instance with a PID file of its own name exclude like a daemon's")
    func explicit() throws {
        let path = "\(scratch.path)/new/mine.pid"
        let first = try InstanceClaim.take(places(explicit: path), listens: false)
        #expect(first.pidFile == path)
        #expect(throws: ControlError.self) { try InstanceClaim.take(places(explicit: path), listens: false) }
        let beside = try InstanceClaim.take(places(explicit: "\(scratch.path)/new/other.pid"), listens: true)
        beside.release()
        first.release()
    }

    @Test("replace what a killed daemon left behind, and say so")
    func stale() throws {
        scratch.directory("home/.gatekit")
        var ended = try ProcessIdentity.own()
        ended.startTime -= 1
        try PIDFile.example(ended).write(to: "\(home)/.gatekit/server.pid")
        let claim = try InstanceClaim.take(places(), listens: true)
        #expect(
            claim.notes == [
                "replacing \(claim.pidFile): stale: pid \(getpid()) belongs to another process by now, which is left "
                    + "alone"
            ])
        claim.release()
        // Not ours to remove: nothing was published.
        #expect(access(claim.pidFile, F_OK) == 0)
    }

    @Test("leave a PID file that is another process's by now")
    func replaced() throws {
        let claim = try InstanceClaim.take(places(), listens: true)
        try claim.publish(.example(try .own()))
        let child = try ChildProcess()
        try claim.publish(.example(try child.identity()))
        claim.release()
        #expect(access(claim.pidFile, F_OK) == 0)
    }

    @Test("without a lock, because somebody deleted it, still exclude beside a living daemon")
    func deletedLock() throws {
        let child = try ChildProcess()
        scratch.directory("home/.gatekit")
        try PIDFile.example(try child.identity()).write(to: "\(home)/.gatekit/server.pid")
        let error = try #require(throws: ControlError.self) { try InstanceClaim.take(places(), listens: true) }
        #expect(error.code == .alreadyRunning)
    }

    @Test("of stdio instances sweep away what killed ones left behind, and only that")
    func sweep() throws {
        let directory = scratch.directory("home/.gatekit")
        let child = try ChildProcess()
        try PIDFile.example(try child.identity()).write(to: "\(directory)/\(child.pid).pid")
        var ended = try ProcessIdentity.own()
        ended.startTime -= 1
        try PIDFile.example(ended).write(to: "\(directory)/4.pid")
        _ = try scratch.write("", to: "home/.gatekit/4.control")
        _ = try scratch.write("", to: "home/.gatekit/5.pid")
        let claim = try InstanceClaim.take(places(), listens: false)
        #expect(claim.notes == ["removed \(directory)/4.pid, whose process has ended"])
        #expect(access("\(directory)/4.control", F_OK) != 0)
        #expect(access("\(directory)/5.pid", F_OK) == 0)
        #expect(access("\(directory)/\(child.pid).pid", F_OK) == 0)
    }

    @Test("are taken over by the image after an execve")
    func adoption() throws {
        let before = try InstanceClaim.take(places(), listens: true)
        try before.publish(.example(try .own()))
        let held = try #require(before.lock)
        try held.keepOverExec()
        #expect(fcntl(held.descriptor, F_GETFD) == 0)
        let after = try InstanceClaim.take(places(), listens: true, adopting: held.descriptor)
        #expect(after.lock?.descriptor == held.descriptor)
        #expect(fcntl(held.descriptor, F_GETFD) == FD_CLOEXEC)
        #expect(throws: ControlError.self) { try InstanceClaim.take(places(), listens: true) }
        after.release()
    }

    @Test("do not take over a descriptor of something else")
    func foreignDescriptor() throws {
        let descriptor = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        scratch.directory("home/.gatekit")
        let error = try #require(throws: ControlError.self) {
            try InstanceClaim.take(places(), listens: true, adopting: descriptor)
        }
        #expect(error.code == .notOurs)
    }
}
