internal import Glibc

extension ControlPlaces {
    /// The places as this process sees them: its environment and working directory.
    public static func ofProcess(explicit: String?, instance: String?) -> ControlPlaces {
        var environment: [String: String] = [:]
        for name in ["ZSCALER_MCP_PID_FILE", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "HOME"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        var directory = "/"
        // Fails when the directory has been deleted; a relative path then means nothing.
        if let buffer = getcwd(nil, 0) {
            directory = String(cString: buffer)
            free(buffer)
        }
        return ControlPlaces(
            explicit: explicit, instance: instance, environment: environment, home: environment["HOME"] ?? "/",
            workingDirectory: directory)
    }
}
