import Glibc
import Testing

@testable import Daemon

/// A pipe whose reader takes what it likes.
final class LogPipe {
    let output: LogOutput
    private let ends: (read: Int32, write: Int32)

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "no pipe")
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        // The smallest there is: one page.
        _ = fcntl(ends[1], 1031, 4096)  // F_SETPIPE_SZ, which Swift's Glibc module does not show.
        self.ends = (ends[0], ends[1])
        output = LogOutput(ends[1])
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }

    func read() -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = Glibc.read(ends.read, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    func take(_ lines: String) -> Int {
        Array(lines.utf8).withUnsafeBytes { output.write(lines: $0) }
    }
}

@Suite("what the log writes to stderr", .timeLimit(.minutes(1)))
struct LogOutputTests {
    @Test("lines that nobody reads are dropped and counted, and never waited for")
    func dropped() {
        let pipe = LogPipe()
        let line = String(repeating: "x", count: 2047) + "\n"
        for _ in 0..<5 { pipe.output.write(Array(line.utf8)) }
        let taken = pipe.read().utf8.count / line.utf8.count
        #expect(taken >= 1 && taken < 5)
        pipe.output.write(Array("next\n".utf8))
        #expect(
            pipe.read() == "[WARNING] gatekit.log: \(5 - taken) lines were dropped: stderr was not read\nnext\n")
        pipe.output.write(Array("more\n".utf8))
        #expect(pipe.read() == "more\n")
    }

    @Test("a line that is longer than the pipe is ended before anything else is written")
    func long() {
        let pipe = LogPipe()
        let long = String(repeating: "x", count: 10_000) + "\n"
        #expect(pipe.take(long + "next\n") == long.utf8.count, "taken up to the end of a line")
        var text = pipe.read()
        #expect(text.utf8.count < long.utf8.count)
        pipe.output.write(Array("lost\n".utf8))
        #expect(pipe.take("") == 0)
        for _ in 0..<3 {
            text += pipe.read()
            _ = pipe.take("")
        }
        text += pipe.read()
        #expect(text == long)
        #expect(pipe.take("next\n") == 5)
        #expect(pipe.read() == "next\n")
    }

    @Test("many lines go as far as there is room, and the rest is the caller's")
    func many() {
        let pipe = LogPipe()
        let line = String(repeating: "y", count: 99) + "\n"
        let all = String(repeating: line, count: 200)
        var sent = 0
        var text = ""
        while sent < all.utf8.count {
            let taken = pipe.take(String(all.dropFirst(sent)))
            #expect(taken % 100 == 0)
            sent += taken
            text += pipe.read()
        }
        #expect(text == all)
    }
}
