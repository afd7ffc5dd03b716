import GatewayConfiguration
import GatewayEvents
import Glibc
import Testing

@testable import Reload

/// A configuration directory and a working directory on the disk, as a start finds them.
private struct Disk {
    let directory: TemporaryDirectory
    let config: String
    let working: String

    static let yaml = "proxy:\n  upstream:\n    command: /bin/true\n"

    init(dotenv: String? = nil, yaml: String = Disk.yaml) throws {
        directory = try TemporaryDirectory()
        try directory.makeDirectory("config")
        working = try directory.makeDirectory("working")
        config = try directory.write("config/gatekit.yaml", yaml)
        if let dotenv { try directory.write("config/.env", dotenv) }
    }

    /// As the start finds them.
    func files(
        environment: [String: String] = [:], flags: CommandLineFlags = CommandLineFlags()
    ) -> ConfigurationFiles {
        ConfigurationFiles(
            configPath: config, dotenvPath: nil, isDotenvNamed: false,
            environment: ["HOME": "/home/u", "PATH": "/usr/bin:/bin"].merging(environment) { $1 },
            workingDirectory: working, flags: flags
        ).foundAnew()
    }

    /// Why a reading was refused.
    func refusal(
        of files: ConfigurationFiles, _ occasion: ConfigurationReader.Occasion = .reload,
        _ location: SourceLocation = #_sourceLocation
    ) throws -> Refusal {
        do throws(Refusal) {
            _ = try files.read(occasion)
        } catch {
            return error
        }
        Issue.record("it was not refused", sourceLocation: location)
        throw TemporaryDirectory.Failure(code: 0)
    }
}

@Suite("The files of one process")
struct ConfigurationFilesTests {
    // MARK: - Where .env stands

    @Test("a recorded file that is there is live")
    func live() throws {
        let disk = try Disk(dotenv: "A=1\n")
        let files = disk.files()
        #expect(files.dotenvPath == "\(disk.directory.path)/config/.env")
        for occasion in [ConfigurationReader.Occasion.start, .reload] {
            let candidate = try files.read(occasion)
            #expect(candidate.environmentSource == .live)
            #expect(candidate.notes.isEmpty)
            #expect(candidate.loaded.upstreamEnvironment()["A"] == "1")
        }
    }

    @Test("a recorded file where container images bind it is live (bind-mounted)")
    func liveBindMounted() throws {
        let disk = try Disk(dotenv: "A=1\n")
        var files = disk.files()
        #expect(files.bindMountPrefix == "/app/")
        files.bindMountPrefix = disk.directory.path + "/"
        #expect(try files.read(.start).environmentSource == .liveBindMounted)
        #expect(try files.read(.reload).environmentSource == .liveBindMounted)
    }

    @Test("a recorded file that is gone while another is found refuses the reload and names both; a restart adopts it")
    func freshDiscovery() throws {
        let disk = try Disk(dotenv: "A=1\n")
        let files = disk.files()
        try disk.directory.remove("config/.env")
        let fresh = try disk.directory.write("working/.env", "A=2\n")
        let refusal = try disk.refusal(of: files)
        #expect(refusal.environmentSource == .freshDiscovery)
        #expect(
            refusal.problems == [
                "\(disk.directory.path)/config/.env: the .env file is gone; \(fresh) was found, which a restart adopts"
            ])
        let anew = files.foundAnew()
        #expect(anew.dotenvPath == fresh)
        #expect(try anew.read(.start).loaded.upstreamEnvironment()["A"] == "2")
    }

    @Test("a recorded file that is gone without another refuses the reload, until it is back")
    func missing() throws {
        let disk = try Disk(dotenv: "A=1\n")
        let files = disk.files()
        try disk.directory.remove("config/.env")
        let refusal = try disk.refusal(of: files)
        #expect(refusal.environmentSource == .missing)
        #expect(
            refusal.description
                == "\(disk.directory.path)/config/.env: the .env file is gone; put it back (an empty one is valid), "
                + "or restart")
        try disk.directory.write("config/.env", "")
        let candidate = try files.read(.reload)
        #expect(candidate.environmentSource == .live)
        #expect(candidate.loaded.upstreamEnvironment()["A"] == nil)
    }

    @Test("where there never was one, that is fine; one that appears is named and adopted by a restart only")
    func never() throws {
        let disk = try Disk()
        let files = disk.files()
        #expect(files.dotenvPath == nil)
        #expect(try files.read(.start).environmentSource == .none)
        #expect(try files.read(.reload).notes.isEmpty)
        let fresh = try disk.directory.write("config/.env", "A=1\n")
        let candidate = try files.read(.reload)
        #expect(candidate.environmentSource == .none)
        #expect(candidate.notes == ["\(fresh) was not there at the start and is not read: a restart adopts it"])
        #expect(candidate.loaded.upstreamEnvironment()["A"] == nil)
        #expect(files.foundAnew().dotenvPath == fresh)
    }

    @Test("a file that was named is not exchanged for a found one, and refused at the start when it is not there")
    func named() throws {
        let disk = try Disk(dotenv: "A=found\n")
        let path = "\(disk.directory.path)/named.env"
        let files = ConfigurationFiles(
            configPath: disk.config, dotenvPath: path, isDotenvNamed: true, environment: ["PATH": "/bin"],
            workingDirectory: disk.working, flags: CommandLineFlags())
        let refusal = try disk.refusal(of: files, .start)
        #expect(refusal.problems == ["\(path): the .env file cannot be opened: no such file or directory"])
        #expect(files.foundAnew().dotenvPath == path)
        try disk.directory.write("named.env", "A=named\n")
        #expect(try files.foundAnew().read(.start).loaded.upstreamEnvironment()["A"] == "named")
    }

    @Test("the refusal of a named file that is gone promises nothing of a restart, which would look for it again")
    func namedIsGone() throws {
        let disk = try Disk()
        let path = try disk.directory.write("named.env", "")
        let files = ConfigurationFiles(
            configPath: disk.config, dotenvPath: path, isDotenvNamed: true, environment: ["PATH": "/bin"],
            workingDirectory: disk.working, flags: CommandLineFlags())
        #expect(try files.read(.start).environmentSource == .live)
        try disk.directory.remove("named.env")
        let missing = try disk.refusal(of: files)
        #expect(missing.environmentSource == .missing)
        #expect(missing.problems == ["\(path): the .env file is gone; put it back (an empty one is valid)"])
        let other = try disk.directory.write("config/.env", "")
        let found = try disk.refusal(of: files)
        #expect(found.environmentSource == .freshDiscovery)
        #expect(
            found.problems == [
                "\(path): the .env file is gone; put it back (an empty one is valid): \(other) was found, but "
                    + "--dotenv-path or ZSCALER_MCP_DOTENV_PATH names this one"
            ])
    }

    // MARK: - What .env means

    @Test("at the start the environment beats .env, at a reload .env beats the environment")
    func precedence() throws {
        let disk = try Disk(dotenv: "A=file\nGATEKIT_LOG_LEVEL=DEBUG\n")
        let files = disk.files(environment: ["A": "process", "GATEKIT_LOG_LEVEL": "ERROR"])
        let start = try files.read(.start).loaded
        #expect(start.upstreamEnvironment()["A"] == "process")
        #expect(start.settings.logLevel == .error)
        let reload = try files.read(.reload).loaded
        #expect(reload.upstreamEnvironment()["A"] == "file")
        #expect(reload.settings.logLevel == .debug)
        #expect(start.configHash == reload.configHash)
    }

    @Test("a key taken from the file has the process's start value again, or none")
    func removal() throws {
        let disk = try Disk(dotenv: "HOME=/file\nB=file\nGATEKIT_LOG_LEVEL=DEBUG\n")
        let files = disk.files(environment: ["HOME": "/process"])
        let before = try files.read(.reload).loaded
        #expect(before.upstreamEnvironment()["HOME"] == "/file")
        #expect(before.upstreamEnvironment()["B"] == "file")
        try disk.directory.write("config/.env", "")
        let after = try files.read(.reload).loaded
        #expect(after.upstreamEnvironment()["HOME"] == "/process")
        #expect(after.upstreamEnvironment()["B"] == nil)
        #expect(after.settings.logLevel == .info)
        #expect(files.environment["HOME"] == "/process")
    }

    @Test("a malformed line is refused with its number, at the start and at a reload")
    func malformed() throws {
        let disk = try Disk(dotenv: "A=1\nB='never closed\n")
        for occasion in [ConfigurationReader.Occasion.start, .reload] {
            let refusal = try disk.refusal(of: disk.files(), occasion)
            #expect(refusal.problems.count == 1)
            #expect(refusal.problems.first?.hasPrefix("\(disk.directory.path)/config/.env:2: ") == true)
            #expect(refusal.environmentSource == .live)
        }
    }

    @Test("an empty file is valid and is not the same as none")
    func emptyDotenv() throws {
        let disk = try Disk(dotenv: "")
        let candidate = try disk.files().read(.reload)
        #expect(candidate.environmentSource == .live)
        let bare = try Disk()
        #expect(try candidate.loaded.configHash != bare.files().read(.reload).loaded.configHash)
    }

    // MARK: - The YAML file

    /// What may have become of it, and what the refusal says.
    enum Damage: CaseIterable {
        case empty, missing, binary, huge, directory, fifo, unreadable

        var reason: String {
            switch self {
            case .empty: "the file is empty; it needs proxy.upstream.command"
            case .missing: "the configuration file cannot be opened: no such file or directory"
            case .binary: ""
            case .huge: "the configuration file is longer than 1048576 bytes, the longest that is read"
            case .directory: "the configuration file is a directory; name a regular file"
            case .fifo: "the configuration file is a FIFO; name a regular file"
            case .unreadable: "the configuration file cannot be opened: permission denied"
            }
        }
    }

    @Test("is refused with its name and the reason, and read again when it is whole", arguments: Damage.allCases)
    func damaged(damage: Damage) throws {
        // Nothing is unreadable for root.
        if damage == .unreadable, geteuid() == 0 { return }
        let disk = try Disk(dotenv: "A=1\n")
        let files = disk.files()
        let hash = try files.read(.start).loaded.configHash
        try disk.directory.remove("config/gatekit.yaml")
        switch damage {
        case .empty: try disk.directory.write("config/gatekit.yaml", "")
        case .missing: break
        case .binary: try disk.directory.write("config/gatekit.yaml", [0, 0xFF, 0xFE, 1, 2])
        case .huge: try disk.directory.write("config/gatekit.yaml", [UInt8](repeating: 35, count: 1024 * 1024 + 1))
        case .directory: try disk.directory.makeDirectory("config/gatekit.yaml")
        case .fifo: try #require(mkfifo(disk.config, 0o600) == 0)
        case .unreadable:
            try disk.directory.write("config/gatekit.yaml", Disk.yaml)
            try #require(chmod(disk.config, 0) == 0)
        }
        let refusal = try disk.refusal(of: files)
        #expect(refusal.problems.count == 1)
        let problem = try #require(refusal.problems.first)
        #expect(problem.hasPrefix("\(disk.config):") && problem.hasSuffix(damage.reason), "\(problem)")
        #expect(refusal.environmentSource == .live)

        if damage == .directory { try #require(rmdir(disk.config) == 0) }
        if damage == .fifo { try disk.directory.remove("config/gatekit.yaml") }
        if damage == .unreadable { try #require(chmod(disk.config, 0o600) == 0) }
        try disk.directory.write("config/gatekit.yaml", Disk.yaml)
        #expect(try files.read(.reload).loaded.configHash == hash)
    }

    @Test("problems of both files are told in one go")
    func bothDamaged() throws {
        let disk = try Disk(dotenv: "A='\n", yaml: "proxy:\n  upstream:\n    command: /bin/true\n  nonsense: 1\n")
        let problems = try disk.refusal(of: disk.files()).problems
        #expect(problems.count == 2)
        #expect(problems.contains { $0.hasPrefix("\(disk.directory.path)/config/.env:1: ") })
        #expect(problems.contains { $0.hasPrefix("\(disk.config):4:3: ") })
    }

    @Test("an upstream that is the gateway itself, or that cannot be found, is refused at its position")
    func program() throws {
        let itself = try Disk(yaml: "proxy:\n  upstream:\n    command: /proc/self/exe\n")
        let problem = try #require(try itself.refusal(of: itself.files()).problems.first)
        #expect(problem.hasPrefix("\(itself.config):3:14: ") && problem.contains("this gateway itself"), "\(problem)")
        let nowhere = try Disk(yaml: "proxy:\n  upstream:\n    command: /nowhere/server\n")
        let reason = try #require(try nowhere.refusal(of: nowhere.files()).problems.first)
        #expect(reason.hasPrefix("\(nowhere.config):3:14: ") && reason.contains("/nowhere/server"), "\(reason)")
    }

    @Test("flags beat what the files say, which is kept beside")
    func flags() throws {
        let disk = try Disk(yaml: Disk.yaml + "logging: { level: ERROR }\n")
        let candidate = try disk.files(flags: CommandLineFlags(logLevel: .debug)).read(.reload)
        #expect(candidate.loaded.settings.logLevel == .debug)
        #expect(candidate.written.logLevel == .error)
        #expect(candidate.flags == CommandLineFlags(logLevel: .debug))
    }
}
