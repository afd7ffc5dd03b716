internal import CSystemd

/// The watchdog that the service manager holds over this process. sd_watchdog_enabled(3).
public enum Watchdog {
    /// How often ``ServiceNotifier/watchdog()`` is to be called: half of `WatchdogSec=`. Nil when no sign of life is
    /// expected of this process. Ping from the gateway loop after it has looked after itself: a timer of its own would
    /// vouch for a loop that hangs.
    public static var interval: Duration? {
        var period: UInt64 = 0
        guard sd_watchdog_enabled(0, &period) > 0 else { return nil }
        return .microseconds(Int64(clamping: period / 2))
    }
}
