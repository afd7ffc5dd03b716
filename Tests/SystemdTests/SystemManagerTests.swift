import Glibc
import Systemd
import Testing

@Suite("Whether systemd runs")
struct SystemManagerTests {
    @Test("agrees with the directory that systemd makes at boot")
    func directory() {
        #expect(SystemManager.isRunning == (access("/run/systemd/system/", F_OK) == 0))
    }
}
