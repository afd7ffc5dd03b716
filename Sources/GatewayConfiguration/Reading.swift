/// One pass over one YAML file: collects what is wrong and knows what texts are resolved against.
final class Reading {
    /// The file's name in problems.
    let file: String
    let environment: [String: String]
    /// Absolute, without a slash at its end; nil when it is not known.
    let homeDirectory: String?
    /// Absolute; relative paths in the file are relative to it.
    let configDirectory: String
    /// The files that the configuration names.
    let files: NamedFiles
    /// False when `.env` is broken: what is not set may stand in a line that could not be read.
    let reportsUnsetVariables: Bool
    /// Where `proxy.upstream.command` stands, once it has been read.
    var commandPosition: YAMLPosition?
    /// Whether the stages of `output_sanitization` are written there.
    var hasChosenStages = false
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []

    init(
        file: String, environment: [String: String], homeDirectory: String?, configDirectory: String,
        files: NamedFiles, reportsUnsetVariables: Bool
    ) {
        self.file = file
        self.environment = environment
        self.homeDirectory = homeDirectory
        self.configDirectory = configDirectory
        self.files = files
        self.reportsUnsetVariables = reportsUnsetVariables
    }

    func refuse(_ position: YAMLPosition?, _ message: String) {
        problems.append(
            ConfigurationProblem(file: file, line: position?.line, column: position?.column, message: message))
    }

    func warn(_ position: YAMLPosition?, _ message: String) {
        warnings.append(
            ConfigurationProblem(file: file, line: position?.line, column: position?.column, message: message))
    }

    /// Takes over what is wrong with a file that the configuration names.
    func add(problems: [ConfigurationProblem] = [], warnings: [ConfigurationProblem] = []) {
        self.problems += problems
        self.warnings += warnings
    }

    /// Refuses a value of the wrong shape, unless it has been refused as YAML already.
    func mismatch(_ value: YAMLValue, _ name: String, expected: String, remedy: String = "") {
        guard let got = value.shape else { return }
        refuse(value.position, "\(name): expected \(expected), got \(got)\(remedy)")
    }

    /// Refuses what the language knows and this version cannot do.
    func require(_ feature: Feature, at position: YAMLPosition) {
        if let message = feature.refusal { refuse(position, message) }
    }

    /// The absolute form of a path: `~` and `~/` are the home directory, relative ones start at the file's own.
    func path(_ text: Text) -> String? {
        let value = text.value
        if value.isEmpty {
            refuse(text.position, "\(text.name) is empty; name a path")
        } else if value.hasPrefix("~"), value != "~", !value.hasPrefix("~/") {
            refuse(text.position, "\(text.name): only '~/' is expanded, not another user's home; write the whole path")
        } else if value.hasPrefix("~"), homeDirectory == nil {
            refuse(text.position, "\(text.name): '~' cannot be expanded, the home directory is not known; set HOME")
        } else {
            // Without a home directory there is no `~` here.
            let path = FilePath.absolute(value, directory: configDirectory, homeDirectory: homeDirectory ?? "")
            if path.utf8.count < 4096 { return path }
            refuse(text.position, "\(text.name) is longer than 4095 bytes, the longest path that Linux takes")
        }
        return nil
    }
}

/// Paths as text; nothing here looks at the disk.
enum FilePath {
    /// `path` made absolute, without repeated slashes and `.`; `..` stays, since it may lead through a link.
    static func absolute(_ path: String, directory: String, homeDirectory: String) -> String {
        let whole =
            if path == "~" || path.hasPrefix("~/") {
                homeDirectory + path.dropFirst()
            } else if path.hasPrefix("/") {
                path
            } else {
                directory + "/" + path
            }
        let parts = whole.split(separator: "/").filter { $0 != "." }
        return "/" + parts.joined(separator: "/")
    }

    /// What two names of one file most likely have in common: the path with `..` taken literally.
    static func identity(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Everything before the last slash of an absolute path.
    static func directory(_ path: String) -> String {
        let parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        return parent.isEmpty ? "/" : String(parent)
    }
}

/// A scalar after interpolation, with what a message about it needs.
struct Text {
    /// The key, dotted: `proxy.unix.path`.
    var name: String
    var position: YAMLPosition
    /// As written in the file: what messages may show.
    var raw: String
    /// After interpolation: never shown, since it may come from the environment.
    var value: String
    var pieces: [Interpolation.Piece]

    /// Whether anything was put in.
    var isInterpolated: Bool {
        pieces.contains { if case .value = $0 { true } else { false } }
    }
}
