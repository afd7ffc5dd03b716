import Glibc
import MCPFilesystem
import Synchronization
import Testing

@testable import struct MCPFilesystem.AllowedDirectories

@Suite("Confinement")
struct ConfinementTests {
    /// Ways out, with the folder beside the served one as `@`.
    static let ways = [
        "../out/secret.txt", "sub/../../out/secret.txt", "@/secret.txt", "@/../out/secret.txt", "@",
        "link-file", "link-folder/secret.txt", "link-absolute", "link-absolute-folder/secret.txt",
        "link-to-link/secret.txt", "sub/link-up/out/secret.txt", "dangling", "dangling-folder/x",
        "/etc/passwd", "/proc/self/root/etc/passwd", "/proc/self/cwd", "..", "../..", "../in-other/x",
        "~/out/secret.txt",
        "in/../../out/secret.txt", "@@", "///etc///passwd", "a\u{0}/../../out/secret.txt", "", "~root/x",
    ]

    static let tools = [
        "read_file", "read_multiple_files", "write_file", "edit_file", "create_directory", "list_directory",
        "directory_tree", "move_file from", "move_file to", "search_files", "get_file_info", "delete_file",
    ]

    private func prepare(_ area: Area) throws {
        try area.put("inside", at: "here.txt")
        try area.makeFolder("sub")
        try area.link("link-file", to: "../out/secret.txt")
        try area.link("link-folder", to: "../out")
        try area.link("link-absolute", to: area.outside + "/secret.txt")
        try area.link("link-absolute-folder", to: area.outside)
        try area.link("link-to-link", to: "link-folder")
        try area.link("sub/link-up", to: "../..")
        try area.link("dangling", to: "../out/new.txt")
        try area.link("dangling-folder", to: "../out/new")
    }

    private func call(_ area: Area, _ tool: String, _ path: String) throws -> ToolReply {
        let given = Argument.text(path)
        switch tool {
        case "read_multiple_files":
            var reply = try area.call(tool, ["paths": [given]])
            reply.isError = reply.text.contains(": Error - ")
            return reply
        case "write_file": return try area.call(tool, ["path": given, "content": "written"])
        case "edit_file":
            return try area.call(tool, ["path": given, "edits": [["oldText": "secret", "newText": "edited"]]])
        case "move_file from": return try area.call("move_file", ["source": given, "destination": "moved"])
        case "move_file to": return try area.call("move_file", ["source": "here.txt", "destination": given])
        case "search_files": return try area.call(tool, ["path": given, "pattern": "*"])
        default: return try area.call(tool, ["path": given])
        }
    }

    @Test("No path leads out, whatever the tool", arguments: tools, ways)
    func escapes(tool: String, way: String) throws {
        try Area.with { area in
            try prepare(area)
            let path =
                way == "@@"
                ? area.inside + "-other/x"
                : way.hasPrefix("@") ? area.outside + way.dropFirst() : way
            let reply = try call(area, tool, path)
            // A final link is itself inside: moving or deleting takes the link, and a link's name is taken.
            let isLinkItself =
                ["delete_file", "move_file from"].contains(tool)
                && ["link-file", "link-absolute", "dangling"].contains(way)
            // Only a name here, since nothing but "~" and "~/" means a home.
            let isPlainName = way == "~root/x" && tool == "create_directory"
            #expect(reply.isError == !(isLinkItself || isPlainName), "\(reply.text)")
            #expect(!reply.text.contains(Area.secret))
            // A message may hold outside paths only as they were given.
            #expect(path.contains(area.outside) || !reply.text.contains(area.outside), "\(reply.text)")
            #expect(area.isOutsideUntouched)
            #expect(tool.hasPrefix("move_file from") || isLinkItself || area.content("here.txt") == "inside")
        }
    }

    @Test("Nothing of the outside is in any listing of what links there")
    func listings() throws {
        try Area.with { area in
            try prepare(area)
            for text in [
                try area.text("list_directory", ["path": "."]), try area.text("directory_tree", ["path": "."]),
                try area.text("search_files", ["path": ".", "pattern": "**"]),
            ] {
                #expect(!text.contains("secret.txt"))
            }
        }
    }

    @Test("Of nested directories the innermost decides, and a name that only begins alike is outside")
    func prefixes() throws {
        try Area.with { area in
            let directories = try AllowedDirectories(["~/in", "~/out"], home: area.folder)
            #expect(try directories.locate(area.outside + "/secret.txt").relative == "secret.txt")
            #expect(try directories.locate(area.inside + "/./a//b/").relative == "a/b")
            #expect(try directories.locate(area.inside + "/").relative == ".")
            #expect(try directories.locate("a").path == area.inside + "/a")
            #expect(throws: FilesystemError.self) { try directories.locate(area.inside + "side") }
            #expect(throws: FilesystemError.self) { try directories.locate(area.folder) }
            let root = try AllowedDirectories(["/"], home: nil)
            #expect(try root.locate("/etc/passwd").relative == "etc/passwd")
            #expect(throws: FilesystemError.self) { try root.locate("~/x") }
        }
    }

    @Test("A directory that is named by a link is served under both names")
    func linkedRoot() throws {
        try Area.with { area in
            try #require(symlink("in", area.folder + "/alias") == 0)
            let directories = try AllowedDirectories([area.folder + "/alias/"], home: nil)
            #expect(try directories.locate(area.folder + "/alias/a").relative == "a")
            #expect(try directories.locate(area.inside + "/a").relative == "a")
        }
    }

    @Test("A directory that is missing or none is named", arguments: ["none", "out/secret.txt"])
    func startErrors(name: String) throws {
        try Area.with { area in
            let path = "\(area.folder)/\(name)"
            do throws(FilesystemError) {
                _ = try AllowedDirectories([path], home: nil)
                Issue.record("\(path) was opened")
            } catch {
                #expect(error.message.contains("\"\(path)\""))
            }
        }
    }

    @Test("A directory that is exchanged for a link all the while never shows what the link leads to")
    func race() throws {
        try Area.with { area in
            try area.makeFolder("d")
            try area.put("inside", at: "d/secret.txt")
            let swapper = try Swapper(
                directory: area.inside + "/d", aside: area.inside + "/aside", target: "../out")
            defer { swapper.stop() }
            for round in 0..<600 {
                let read = try area.call("read_file", ["path": "d/secret.txt"])
                #expect(read.isError ? !read.text.contains(Area.secret) : ["inside", "round"].contains(read.text))
                let write = try area.call("write_file", ["path": "d/secret.txt", "content": "round"])
                #expect(!write.text.contains(area.outside))
                if round % 4 == 0 {
                    _ = try area.call("create_directory", ["path": "d/made/deep"])
                    _ = try area.call("write_file", ["path": "d/new.txt", "content": "round"])
                    _ = try area.call("move_file", ["source": "d/new.txt", "destination": "d/other.txt"])
                    _ = try area.call("delete_file", ["path": "d/other.txt"])
                    let tree = try area.call("directory_tree", ["path": "."])
                    #expect(!tree.text.contains(Area.secret))
                }
            }
            swapper.stop()
            #expect(area.isOutsideUntouched)
        }
    }
}

/// A thread that puts a link in a directory's place and the directory back, until it is stopped.
private final class Swapper {
    private final class Order: Sendable {
        let directory: String
        let aside: String
        let target: String
        let isStopped = Atomic(false)

        init(_ directory: String, _ aside: String, _ target: String) {
            self.directory = directory
            self.aside = aside
            self.target = target
        }

        func run() {
            while !isStopped.load(ordering: .acquiring) {
                rename(directory, aside)
                symlink(target, directory)
                unlink(directory)
                rename(aside, directory)
            }
        }
    }

    private let order: Order
    private var thread: pthread_t?

    init(directory: String, aside: String, target: String) throws {
        order = Order(directory, aside, target)
        var thread = pthread_t()
        let started = pthread_create(
            &thread, nil,
            { argument in
                // The thread got the order retained, and holds the only pointer to it.
                if let argument { Unmanaged<Order>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(order).toOpaque())
        try #require(started == 0)
        self.thread = thread
    }

    /// Returns when the thread has ended; may be called twice.
    func stop() {
        order.isStopped.store(true, ordering: .releasing)
        if let thread { pthread_join(thread, nil) }
        thread = nil
    }
}
