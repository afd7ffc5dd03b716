import Glibc
import Testing

@testable import ControlPlane

@Suite("Places of PID files")
struct ControlPlacesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var explicit: String?
        var instance: String?
        var environment: [String: String] = [:]
        var named: String?
        var usual: [String]
    }

    static let common = ["/run/gatekit/gatekit.pid", "/home/kim/.gatekit/server.pid"]

    @Test(
        "come in their order",
        arguments: [
            Case(testDescription: "nothing set", usual: common),
            Case(
                testDescription: "a session's runtime directory", environment: ["XDG_RUNTIME_DIR": "/run/user/7"],
                usual: [common[0], "/run/user/7/gatekit.pid", common[1]]),
            Case(
                testDescription: "a service's runtime directory", environment: ["RUNTIME_DIRECTORY": "/run/gatekit-a"],
                usual: ["/run/gatekit-a/gatekit.pid"] + common),
            Case(
                testDescription: "the first of several runtime directories, which is a usual place: once",
                environment: ["RUNTIME_DIRECTORY": "/run/gatekit:/run/other"], usual: common),
            Case(
                testDescription: "empty variables count as unset",
                environment: ["RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": "", "ZSCALER_MCP_PID_FILE": ""], usual: common
            ),
            Case(
                testDescription: "a variable names the file", environment: ["ZSCALER_MCP_PID_FILE": "/tmp/z.pid"],
                named: "/tmp/z.pid", usual: common),
            Case(
                testDescription: "the option beats the variable, relative to the working directory", explicit: "x.pid",
                environment: ["ZSCALER_MCP_PID_FILE": "/tmp/z.pid"], named: "/srv/x.pid", usual: common),
            Case(
                testDescription: "an instance has one place and beats the variable", instance: "a",
                environment: ["ZSCALER_MCP_PID_FILE": "/tmp/z.pid", "XDG_RUNTIME_DIR": "/run/user/7"],
                usual: ["/run/gatekit-a/gatekit.pid"]),
        ])
    func order(_ example: Case) {
        let places = ControlPlaces(
            explicit: example.explicit, instance: example.instance, environment: example.environment, home: "/home/kim",
            workingDirectory: "/srv")
        #expect(places.explicit == example.named)
        #expect(places.usual == example.usual)
    }

    @Test(
        "have the socket and the lock beside them",
        arguments: [
            ("/run/gatekit/gatekit.pid", "/run/gatekit/gatekit.control", "/run/gatekit/gatekit.lock"),
            ("/h/.gatekit/server.pid", "/h/.gatekit/server.control", "/h/.gatekit/gatekit.lock"),
            ("/tmp/one.pid", "/tmp/one.control", "/tmp/one.lock"),
            ("/tmp/bare", "/tmp/bare.control", "/tmp/bare.lock"),
        ])
    func neighbours(_ file: String, _ socket: String, _ lock: String) {
        #expect(ControlPlaces.controlSocket(of: file) == socket)
        #expect(ControlPlaces.lockFile(of: file) == lock)
    }

    @Test("are chosen by what can be written: the system's only when it exists, the home's is made")
    func chosen() throws {
        let scratch = try ScratchDirectory()
        scratch.directory("run")
        let home = scratch.directory("home")
        let places = ControlPlaces(environment: [:], home: home, workingDirectory: "/", root: scratch.path)
        #expect(try places.chosen() == "\(home)/.gatekit/server.pid")
        var status = stat()
        try #require(stat("\(home)/.gatekit", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        scratch.directory("run/gatekit")
        #expect(try places.chosen() == "\(scratch.path)/run/gatekit/gatekit.pid")
    }

    @Test("that cannot be written are all named")
    func noPlace() throws {
        let places = ControlPlaces(environment: [:], home: "/nowhere", workingDirectory: "/", root: "/nowhere")
        let error = try #require(throws: ControlError.self) { try places.chosen() }
        #expect(error.code == .noPlace)
        #expect(
            error.description
                == "no place for a PID file (/nowhere/run/gatekit: No such file or directory; /nowhere/.gatekit: "
                + "No such file or directory); name one with --pid-file")
    }

    @Test(
        "take only instance names that stay in their directory",
        arguments: [
            ("staging", true), ("a-b_c.1@x:y", true), (#"a\x2db"#, true), ("", false), ("a/b", false), ("a b", false),
            ("ä", false), ("a\n", false), ("sockets", false),
        ])
    func names(_ name: String, _ isValid: Bool) {
        #expect(ControlPlaces.isInstanceName(name) == isValid)
    }
}
