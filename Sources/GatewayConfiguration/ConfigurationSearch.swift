import Glibc

/// Where configuration files are looked for when no path is given.
public enum ConfigurationSearch: Hashable, Sendable {
    /// The first file that exists, as an absolute path.
    case found(String)
    /// The places tried, in order.
    case notFound([String])

    /// The places for `gatekit.yaml`; invoked as `zscaler-mcp`, `zscaler.yaml` in the same places comes first.
    ///
    /// What is found is not read here: an unreadable first file is an error, never a reason to take the next.
    static func places(invokedAs program: String, workingDirectory: String, homeDirectory: String) -> [String] {
        func places(_ local: String, _ shared: String) -> [String] {
            [
                "\(workingDirectory)/\(local)", "\(homeDirectory)/.config/gatekit/\(shared)", "/etc/gatekit/\(local)",
            ].map { FilePath.absolute($0, directory: "/", homeDirectory: homeDirectory) }
        }
        let name = program.split(separator: "/").last.map(String.init) ?? program
        let own = places("gatekit.yaml", "config.yaml")
        return name == "zscaler-mcp" ? places("zscaler.yaml", "zscaler.yaml") + own : own
    }

    /// The `.env` file beside the configuration file, else in the working directory, else nil. For a caller whom
    /// neither `--dotenv-path` nor `ZSCALER_MCP_DOTENV_PATH` gave one.
    public static func dotenv(configPath: String, workingDirectory: String) -> String? {
        let config = FilePath.absolute(configPath, directory: workingDirectory, homeDirectory: "")
        return [FilePath.directory(config), workingDirectory]
            .map { FilePath.absolute(".env", directory: $0, homeDirectory: "") }
            .first(where: exists)
    }

    /// The process's own; `/` when it has been deleted.
    static func workingDirectory() -> String {
        guard let buffer = getcwd(nil, 0) else { return "/" }
        defer { free(buffer) }
        return String(cString: buffer)
    }

    /// Whether something is there, of whatever kind.
    public static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }
}

extension ConfigurationReader {
    /// Looks for a configuration file in the fixed places: for a caller whom neither `--config` nor `GATEKIT_CONFIG`
    /// gave one.
    ///
    /// - Parameters:
    ///   - invokedAs: the program's name or path, `argv[0]`.
    ///   - workingDirectory: absolute.
    ///   - homeDirectory: absolute.
    public static func search(
        invokedAs: String, workingDirectory: String, homeDirectory: String
    ) -> ConfigurationSearch {
        let places = ConfigurationSearch.places(
            invokedAs: invokedAs, workingDirectory: workingDirectory, homeDirectory: homeDirectory)
        return places.first(where: ConfigurationSearch.exists).map { .found($0) } ?? .notFound(places)
    }
}
