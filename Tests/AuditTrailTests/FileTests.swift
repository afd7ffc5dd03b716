import GatewayConfiguration
import GatewayEvents
import Glibc
import Testing

@testable import AuditTrail

@Suite("audit files")
struct FileTests {
    let directory = ScratchDirectory()
    var settings: FileAuditingSettings { FileAuditingSettings(outputFile: directory.file("audit.log")) }

    @Test("files and directories get their modes, whatever the umask, also after rotation")
    func modes() throws {
        var settings = FileAuditingSettings(outputFile: directory.file("a/b/audit.log"))
        settings.fileMode = 0o640
        settings.maxFileBytes = 500
        let scene = try Scene([settings])
        for id in 0..<5 { scene.request("\(id)") }
        _ = scene.trail.commit()
        for name in ["a", "a/b"] { #expect(directory.info(name)?.st_mode == S_IFDIR | 0o750) }
        for name in ["a/b/audit.log", "a/b/audit.log.1", "a/b/audit.log.2"] {
            #expect(directory.info(name)?.st_mode == S_IFREG | 0o640)
        }
        settings.fileMode = 0o600
        try scene.reload([settings])
        #expect(directory.info("a/b/audit.log")?.st_mode == S_IFREG | 0o600)
    }

    @Test("a group is set, also after rotation", .enabled(if: getuid() == 0))
    func group() throws {
        var settings = settings
        settings.group = "daemon"
        settings.maxFileBytes = 500
        let scene = try Scene([settings])
        for id in 0..<3 { scene.request("\(id)") }
        _ = scene.trail.commit()
        let wanted = try #require(getgrnam("daemon")).pointee.gr_gid
        #expect(directory.info("audit.log")?.st_gid == wanted && directory.info("audit.log.1")?.st_gid == wanted)
    }

    @Test("an unknown group is an error that names it")
    func unknownGroup() {
        var settings = settings
        settings.group = "no-such-group"
        #expect {
            _ = try Scene([settings])
        } throws: {
            ($0 as? AuditError)?.description
                == "audit file \(directory.file("audit.log")): there is no group 'no-such-group'; create it or change "
                + "'group'"
        }
        #expect(directory.info("audit.log") == nil)
    }

    @Test(
        "what is no regular file is refused by name",
        arguments: ["directory", "symlink", "dangling", "fifo", "socket", "device"])
    func special(kind: String) throws {
        let path = directory.file("audit.log")
        switch kind {
        case "directory": mkdir(path, 0o700)
        case "symlink": symlink("/dev/null", path)
        case "dangling": symlink(directory.file("elsewhere"), path)
        case "fifo": mkfifo(path, 0o600)
        case "socket": try #require(mknod(path, S_IFSOCK | 0o600, 0) == 0)
        default: break
        }
        let target = kind == "device" ? "/dev/null" : path
        #expect {
            _ = try Scene([FileAuditingSettings(outputFile: target)])
        } throws: {
            let error = $0 as? AuditError
            return error?.code == .notARegularFile && error?.path == target
        }
        #expect(directory.info("elsewhere") == nil)
    }

    @Test("a path through a linked directory is the same sink")
    func linkedDirectory() throws {
        mkdir(directory.file("real"), 0o700)
        symlink(directory.file("real"), directory.file("link"))
        let both = [
            FileAuditingSettings(outputFile: directory.file("real/a.log")),
            FileAuditingSettings(outputFile: directory.file("link/a.log")),
        ]
        #expect(throws: AuditError.self) { _ = try Scene(both) }
        let scene = try Scene([both[0]])
        try scene.reload([both[1]])
        scene.request("1")
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("real/a.log")) == [1, 2], "kept, without a second AUDIT_START")
    }

    @Test("rotation comes before the record that would pass the size, and no sooner", arguments: -1...1)
    func boundary(excess: Int) throws {
        let probe = try Scene([settings])
        _ = probe.trail.commit()
        let start = Int(try #require(directory.info("audit.log")).st_size)
        probe.request("1")
        _ = probe.trail.commit()
        let both = Int(try #require(directory.info("audit.log")).st_size)
        let other = ScratchDirectory()
        var settings = settings
        settings.outputFile = other.file("audit.log")
        // AUDIT_START tells path and size: equal lengths keep the bytes equal.
        let digits = "10485760".count - "\(both)".count
        settings.maxFileBytes = both - digits - excess
        let scene = try Scene([settings])
        scene.request("1")
        _ = scene.trail.commit()
        #expect(start - digits + (both - start) == both - digits)
        #expect((other.info("audit.log.1") != nil) == (excess > 0))
        #expect(sequence(other.lines("audit.log.1") + other.lines("audit.log")).filter { $0 > 0 } == [1, 2])
    }

    @Test("backups shift, the oldest goes, and every record is in exactly one file")
    func shifting() throws {
        var settings = settings
        settings.maxFileBytes = 700
        settings.backupCount = 3
        directory.write("audit.log.4", "left from a larger backup_count\n")
        let scene = try Scene([settings])
        for id in 0..<20 {
            scene.request("\(id)")
            if id % 3 == 0 { _ = scene.trail.commit() }
        }
        _ = scene.trail.commit()
        #expect(directory.info("audit.log.4") == nil)
        #expect(directory.info("audit.log.new") == nil)
        let all = [".3", ".2", ".1", ""].flatMap { sequence(directory.lines("audit.log\($0)")) }
        #expect(all.last == 21)
        #expect(all == Array(all[0]...21))
        for suffix in [".3", ".2", ".1", ""] {
            #expect(Int(try #require(directory.info("audit.log\(suffix)")).st_size) <= 700)
        }
    }

    @Test("a record larger than a file goes alone into one")
    func oversize() throws {
        var settings = settings
        settings.maxFileBytes = 10
        settings.backupCount = 9
        let scene = try Scene([settings])
        for id in 0..<3 { scene.request("\(id)") }
        _ = scene.trail.commit()
        for (suffix, seq) in [("", 4), (".1", 3), (".2", 2), (".3", 1)] {
            #expect(sequence(directory.lines("audit.log\(suffix)")) == [seq])
        }
    }

    @Test("backup_count 0 never rotates")
    func noBackups() throws {
        var settings = settings
        settings.maxFileBytes = 10
        settings.backupCount = 0
        let scene = try Scene([settings])
        for id in 0..<3 { scene.request("\(id)") }
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("audit.log")) == [1, 2, 3, 4])
    }

    @Test("when renaming fails the file grows on, the status says so, and a later tick rotates")
    func renameFails() throws {
        var settings = settings
        settings.maxFileBytes = 10
        let scene = try Scene([settings])
        scene.machine.change { $0.renameFault = EACCES }
        scene.request("1")
        scene.request("2")
        #expect(scene.trail.commit() == .done(barrier: 0))
        #expect(sequence(directory.lines("audit.log")) == [1, 2, 3])
        #expect(scene.trail.status()[0].lastError?.hasSuffix(".log.4: permission denied") == true)
        #expect(directory.info("audit.log.new") == nil)
        scene.machine.change { $0.renameFault = 0 }
        scene.tick()
        scene.request("3")
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("audit.log")) == [4])
        #expect(sequence(directory.lines("audit.log.1")) == [1, 2, 3])
    }

    @Test("when the new file can not have its reserve, the old one stays in use")
    func rotationWithoutRoom() throws {
        var settings = settings
        settings.maxFileBytes = 10
        let scene = try Scene([settings])
        scene.machine.change { $0.reserveFault = ENOSPC }
        scene.request("1")
        #expect(scene.trail.commit() == .done(barrier: 0))
        #expect(sequence(directory.lines("audit.log")) == [1, 2])
        #expect(directory.info("audit.log.1") == nil && directory.info("audit.log.new") == nil)
    }

    @Test("what was reserved and not used is given back at the end")
    func trims() throws {
        let scene = try Scene([settings])
        _ = scene.trail.commit()
        #expect(try #require(directory.info("audit.log")).st_blocks * 512 >= AuditFile.step)
        scene.trail.close(reason: "shutdown")
        #expect(try #require(directory.info("audit.log")).st_blocks * 512 <= 8192)
    }

    @Test("a torn last line gets its newline, so that it is the only one that can not be read")
    func tornTail() throws {
        directory.write("audit.log", "{\"whole\": 1}\n{\"torn\": ")
        let scene = try Scene([settings])
        _ = scene.trail.commit()
        let lines = directory.lines("audit.log")
        #expect(lines.count == 3 && lines[1] == "{\"torn\": ")
        #expect(JSONValue.parse(lines[2]) != nil)
    }

    @Test("a file that begins in another format is moved away first")
    func otherFormat() throws {
        directory.write("audit.log", "timestamp,event_type\n")
        let scene = try Scene([settings])
        _ = scene.trail.commit()
        #expect(directory.read("audit.log.1") == "timestamp,event_type\n")
        #expect(sequence(directory.lines("audit.log")) == [1])
        var fixed = settings
        fixed.backupCount = 0
        let other = ScratchDirectory()
        other.write("audit.log", "x\n")
        fixed.outputFile = other.file("audit.log")
        #expect(throws: AuditError.self) { _ = try Scene([fixed]) }
        #expect(other.read("audit.log") == "x\n")
    }

    @Test(
        "a replaced file is followed within a second, a removed one is made anew, and seq goes on",
        arguments: ["create", "rename", "remove"])
    func replaced(how: String) throws {
        let scene = try Scene([settings])
        scene.request("1")
        _ = scene.trail.commit()
        if how == "remove" {
            unlink(directory.file("audit.log"))
        } else {
            rename(directory.file("audit.log"), directory.file("old.log"))
            if how == "create" { directory.write("audit.log", "") }
        }
        scene.tick(milliseconds: 1000)
        scene.response("1")
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("audit.log")) == [3])
        if how != "remove" { #expect(sequence(directory.lines("old.log")) == [1, 2]) }
        #expect(directory.info("audit.log")?.st_mode == S_IFREG | 0o600)
    }

    @Test("a record begun in a file ends there, even when the path leads elsewhere meanwhile")
    func replacedMidRecord() throws {
        let scene = try Scene([settings])
        scene.request("1")
        scene.machine.change { $0.writeFault = 300 }
        #expect(scene.trail.commit() == .blocked)
        rename(directory.file("audit.log"), directory.file("old.log"))
        scene.machine.change { $0.writeFault = nil }
        scene.request("2")
        #expect(scene.tick(milliseconds: 1000) == .done(barrier: 0))
        let (old, new) = (directory.lines("old.log"), directory.lines("audit.log"))
        #expect((old + new).allSatisfy { JSONValue.parse($0) != nil })
        #expect(sequence(old + new) == [1, 2, 3])
        #expect(!new.isEmpty)
    }

    @Test("a file that can not be followed closes the gate until it can")
    func cannotFollow() throws {
        let scene = try Scene([settings])
        _ = scene.trail.commit()
        unlink(directory.file("audit.log"))
        mkfifo(directory.file("audit.log"), 0o600)
        scene.tick(milliseconds: 1000)
        #expect(scene.trail.refusal(for: scene.snapshot, method: "x", tool: nil)?.hasPrefix("it is a FIFO") == true)
        unlink(directory.file("audit.log"))
        scene.tick(milliseconds: 1000)
        #expect(scene.trail.refusal(for: scene.snapshot, method: "x", tool: nil) == nil)
        #expect(directory.read("audit.log").range(of: "AUDIT_GAP") != nil)
    }

    @Test("a file that was cut short is written from its new end, with a new reserve")
    func copyTruncate() throws {
        let scene = try Scene([settings])
        _ = scene.trail.commit()
        truncate(directory.file("audit.log"), 0)
        scene.tick(milliseconds: 1000)
        #expect(scene.trail.refusal(for: scene.snapshot, method: "x", tool: nil) == nil)
        #expect(try #require(directory.info("audit.log")).st_blocks * 512 >= AuditFile.step)
        scene.request("1")
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("audit.log")) == [2])
    }

    @Test("reopen goes on at the path at once")
    func reopen() throws {
        let scene = try Scene([settings])
        _ = scene.trail.commit()
        rename(directory.file("audit.log"), directory.file("old.log"))
        scene.trail.reopen()
        scene.request("1")
        _ = scene.trail.commit()
        #expect(sequence(directory.lines("audit.log")) == [2])
        #expect(sequence(directory.lines("old.log")) == [1])
    }

    @Test("files of the past are let go of: no number of them keeps descriptors open")
    func descriptors() throws {
        let scene = try Scene([settings])
        for turn in 0..<100 {
            scene.request("\(turn)")
            _ = scene.trail.commit()
            rename(directory.file("audit.log"), directory.file("old-\(turn).log"))
            scene.trail.reopen()
        }
        scene.tick(milliseconds: 100)
        #expect(openDescriptors() == [directory.file("audit.log")])
    }

    /// Where this process's descriptors in the directory lead to.
    private func openDescriptors() -> [String] {
        (0..<4096).compactMap { number in
            var target = [CChar](repeating: 0, count: 4096)
            let length = readlink("/proc/self/fd/\(number)", &target, target.count)
            guard length > 0 else { return nil }
            let path = String(decoding: target[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
            return path.hasPrefix(directory.path) ? path : nil
        }
    }

    @Test("two gateways share a file: no record is torn, lost or doubled, over rotation by either")
    func shared() throws {
        var settings = settings
        settings.maxFileBytes = 4000
        settings.backupCount = 200
        let scenes = [try Scene([settings]), try Scene([settings])]
        for scene in scenes { _ = scene.trail.commit() }
        var dice = Dice(seed: 7)
        for id in 0..<400 {
            let scene = scenes[Int.random(in: 0...1, using: &dice)]
            scene.request("\(id)")
            if Bool.random(using: &dice) { #expect(scene.trail.commit() == .done(barrier: 0)) }
            if id % 10 == 0 { for scene in scenes { scene.tick(milliseconds: 500) } }
        }
        for scene in scenes { #expect(scene.trail.commit() == .done(barrier: 0)) }
        var ids: [String] = []
        var starts = 0
        for index in 0...200 {
            for line in directory.lines(index == 0 ? "audit.log" : "audit.log.\(index)") where line != "<none>" {
                let record = try #require(JSONValue.parse(line), "\(line)")
                if let id = record["request_id"]?.string { ids.append(id) } else { starts += 1 }
            }
        }
        #expect(starts == 2)
        #expect(ids.sorted() == (0..<400).map { "\($0)" }.sorted())
        #expect(directory.info("audit.log.5") != nil, "there was rotation")
    }
}
