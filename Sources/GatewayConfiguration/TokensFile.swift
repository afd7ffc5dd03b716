/// The file of bearer tokens: one `name:sha256` a line, `#` for comments.
///
/// No problem shows anything of a line but the name of a valid one: what is malformed may be a token.
struct TokensFile {
    private(set) var tokens: [String: TokenDigest] = [:]
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []
    private let path: String
    private var firstLine: [TokenDigest: Int] = [:]
    private var lineOfName: [String: Int] = [:]

    /// Reads every line and goes on after a mistake.
    init(_ file: RegularFile, path: String) {
        self.path = path
        if let exposure = file.exposure {
            warnings.append(ConfigurationProblem(file: path, message: "\(exposure); chmod it to 0600 or 0640"))
        }
        let bytes = file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? file.bytes.dropFirst(3) : file.bytes[...]
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            read(Self.trimmed(line), number)
        }
        if tokens.isEmpty, problems.isEmpty {
            warnings.append(ConfigurationProblem(file: path, message: "holds no token: nobody is let in"))
        }
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> Substring {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        let start = line.drop(while: isBlank)
        let end = start.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start.startIndex
        return Substring(decoding: start[..<end], as: UTF8.self)
    }

    private mutating func read(_ line: Substring, _ number: Int) {
        if line.isEmpty || line.utf8.first == UInt8(ascii: "#") { return }
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            return refuse(number, "expected name:sha256, a name, a colon and the SHA-256 of the token in hex")
        }
        let name = String(line[..<colon])
        let hex = line[line.utf8.index(after: colon)...]
        guard let digest = TokenDigest(hex: hex) else {
            let isFollowed = TokenDigest(hex: hex.prefix(64)) != nil
            let remedy = isFollowed ? "; remove what follows the 64 digits" : ", 64 digits right behind the colon"
            return refuse(number, "expected the SHA-256 of the token in hex\(remedy)")
        }
        guard Self.isName(name) else {
            return refuse(number, "the name is not valid (valid: 1 to 64 letters, digits, or one of . _ @ -)")
        }
        if let first = lineOfName[name] {
            return refuse(number, "duplicate name '\(name)' (first in line \(first)); keep one")
        }
        lineOfName[name] = number
        if digest == .ofNothing {
            return refuse(number, "'\(name)' has the digest of an empty token; choose a token and hash that")
        }
        if let first = firstLine[digest] {
            return refuse(number, "'\(name)' has the token of line \(first); give each name a token of its own")
        }
        firstLine[digest] = number
        tokens[name] = digest
    }

    private mutating func refuse(_ line: Int, _ message: String) {
        problems.append(ConfigurationProblem(file: path, line: line, message: message))
    }

    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "._@-".utf8.contains(byte)
                }
            }
    }
}
