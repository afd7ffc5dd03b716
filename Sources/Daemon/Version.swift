/// The software's version: `--version`, AUDIT_START and what upstreams are told.
public enum GatekitVersion {
    /// Semantic version.
    public static let text = "0.1.0"
}
