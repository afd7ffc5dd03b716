import Glibc
import Testing

@testable import ControlPlane

@Suite("PID files")
struct PIDFileTests {
    @Test("come back as they were written, readable by their owner only, with nothing left beside them")
    func roundTrip() throws {
        let scratch = try ScratchDirectory()
        let path = "\(scratch.path)/gatekit.pid"
        let file = PIDFile.example(try .own())
        try file.write(to: path)
        try file.write(to: path)
        guard case .read(let read, let owner) = PIDFileReading.read(path) else {
            Issue.record("not read")
            return
        }
        #expect(read == file)
        #expect(owner == geteuid())
        var status = stat()
        try #require(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        unlink(path)
        #expect(rmdir(scratch.path) == 0)
    }

    @Test("have the keys that other tools read")
    func keys() throws {
        let process = ProcessIdentity(pid: 15581, startTime: 99, bootID: nil)
        let line = String(
            decoding: try ControlJSON.line(PIDFile.example(process, config: "/a.yaml", control: "/c.control")),
            as: UTF8.self)
        #expect(
            line == #"{"argv":["gatekit","--config","/a.yaml"],"boot_id":null,"config_path":"/a.yaml","#
                + #""control":"/c.control","dotenv_path":null,"host":null,"pid":15581,"port":null,"start_time":99,"#
                + #""started_at":"2026-01-02T03:04:05.000006Z","transport":"unix","version":"0.1.0"}"#)
    }

    @Test("of a living process are found running")
    func running() throws {
        let scratch = try ScratchDirectory()
        let path = "\(scratch.path)/gatekit.pid"
        try PIDFile.example(try .own()).write(to: path)
        guard case .running(_, let handle) = PIDFileFinding.look(at: path) else {
            Issue.record("not found running: \(PIDFileFinding.look(at: path).text)")
            return
        }
        #expect(handle.pid == getpid())
    }

    @Test("of an ended process are stale")
    func stale() throws {
        let scratch = try ScratchDirectory()
        let identity: ProcessIdentity
        do {
            let child = try ChildProcess()
            identity = try child.identity()
        }
        try PIDFile.example(identity).write(to: "\(scratch.path)/gatekit.pid")
        // Some other process may have the number by now; it is not ours in either case.
        switch PIDFileFinding.look(at: "\(scratch.path)/gatekit.pid") {
        case .stale, .reused: break
        case let other: Issue.record("\(other.text)")
        }
    }

    @Test("of a number that is another process's by now are never trusted", arguments: [true, false])
    func reused(_ differsByBoot: Bool) throws {
        let scratch = try ScratchDirectory()
        var identity = try ProcessIdentity.own()
        if differsByBoot { identity.bootID = "another" } else { identity.startTime -= 1 }
        try PIDFile.example(identity).write(to: "\(scratch.path)/gatekit.pid")
        #expect(
            PIDFileFinding.look(at: "\(scratch.path)/gatekit.pid").text
                == "stale: pid \(getpid()) belongs to another process by now, which is left alone")
    }

    @Test("without a boot id are compared by start time alone")
    func unknownBoot() throws {
        let own = try ProcessIdentity.own()
        #expect(own.isSame(as: ProcessIdentity(pid: own.pid, startTime: own.startTime, bootID: nil)))
        #expect(!own.isSame(as: ProcessIdentity(pid: own.pid, startTime: own.startTime + 1, bootID: nil)))
    }

    @Test("that name somebody else's process are never trusted", .enabled(if: geteuid() == 0))
    func foreign() throws {
        let scratch = try ScratchDirectory()
        let path = "\(scratch.path)/gatekit.pid"
        try PIDFile.example(try .own()).write(to: path)
        try #require(chown(path, 12345, 12345) == 0)
        #expect(
            PIDFileFinding.look(at: path).text
                == "not trusted: uid 12345 wrote it, but process \(getpid()) is somebody else's")
    }

    @Test(
        "that are something else are said to be",
        arguments: [
            ("", "it is no JSON of a PID file"), ("15581\n", "it is no JSON of a PID file"),
            (#"{"pid":15581}"#, "it is no JSON of a PID file"),
            (String(repeating: " ", count: 70_000), "it has more than 65536 bytes"),
        ])
    func corrupt(_ text: String, _ reason: String) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(text, to: "gatekit.pid")
        #expect(PIDFileFinding.look(at: path).text == "not a PID file: \(reason)")
    }

    @Test("are no links, directories or pipes")
    func kinds() throws {
        let scratch = try ScratchDirectory()
        let target = try scratch.write("{}", to: "target")
        try #require(symlink(target, "\(scratch.path)/link.pid") == 0)
        try #require(mkfifo("\(scratch.path)/fifo.pid", 0o600) == 0)
        scratch.directory("directory.pid")
        #expect(PIDFileFinding.look(at: "\(scratch.path)/link.pid").text == "not a PID file: it is a symbolic link")
        #expect(PIDFileFinding.look(at: "\(scratch.path)/fifo.pid").text == "not a PID file: it is no regular file")
        #expect(
            PIDFileFinding.look(at: "\(scratch.path)/directory.pid").text == "not a PID file: it is no regular file")
        #expect(PIDFileFinding.look(at: "\(scratch.path)/none.pid").text == "no file")
    }
}
