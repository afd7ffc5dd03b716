internal import CSystemd

/// Whether the machine was booted with systemd. sd_booted(3).
public enum SystemManager {
    /// Looks each time; cheap.
    public static var isRunning: Bool { sd_booted() > 0 }
}
