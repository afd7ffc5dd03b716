internal import Glibc

/// The program `mcp-filesystem`.
public enum FilesystemCommand {
    private static let help = """
        usage: mcp-filesystem [--max-file-bytes N] DIR [DIR…]

        An MCP server on stdin and stdout: tools that read, write and search text files in these directories, and
        nowhere else. Neither .. nor a symbolic link leads out of them.

          DIR                  a directory to serve; ~/ is your home directory
          --max-file-bytes N   the largest file to read or write (default \(Limits().maxFileBytes))
          --version            print the version
          --help               print this

        Exit codes: 0 end of input, 1 a directory cannot be served or the client is gone, 2 usage.

        """

    /// Serves until stdin ends; returns the exit code. `arguments` do not hold the program's own name.
    public static func run(arguments: [String]) -> Int32 {
        var limits = Limits()
        var paths: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h":
                print(help, to: STDOUT_FILENO)
                return 0
            case "--version":
                print("mcp-filesystem \(FilesystemServer.version)\n", to: STDOUT_FILENO)
                return 0
            case "--max-file-bytes":
                let value = rest.popFirst() ?? ""
                guard let bytes = Int(value), (1...1_073_741_824).contains(bytes) else {
                    return usage("--max-file-bytes takes a number from 1 to 1073741824, not \"\(value)\"")
                }
                limits.maxFileBytes = bytes
            case "--":
                paths += rest
                rest = []
            case _ where argument.utf8.first == UInt8(ascii: "-"):
                return usage("unknown option \"\(argument)\"")
            default: paths.append(argument)
            }
        }
        guard !paths.isEmpty else { return usage("no directory given") }
        return serve(paths, limits)
    }

    private static func serve(_ paths: [String], _ limits: Limits) -> Int32 {
        // A client that is gone shall be an error of write, not the silent end of the process.
        signal(SIGPIPE, SIG_IGN)
        do throws(FilesystemError) {
            let home = getenv("HOME").map { String(cString: $0) }
            let server = FilesystemServer(try AllowedDirectories(paths, home: home), limits: limits)
            try StdioLoop(input: STDIN_FILENO, output: STDOUT_FILENO).run(server)
            return 0
        } catch {
            print("mcp-filesystem: \(error.message)\n", to: STDERR_FILENO)
            return 1
        }
    }

    private static func usage(_ problem: String) -> Int32 {
        print("mcp-filesystem: \(problem); see mcp-filesystem --help\n", to: STDERR_FILENO)
        return 2
    }

    private static func print(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        // A terminal or log that is gone is no reason to fail.
        _ = write(descriptor, bytes, bytes.count)
    }
}
