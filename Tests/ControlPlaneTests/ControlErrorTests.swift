import Testing

@testable import ControlPlane

@Suite("Errors of the control plane")
struct ControlErrorTests {
    @Test("print what a person reads")
    func text() {
        #expect("\(ControlError(.notRunning, "no such instance"))" == "no such instance")
    }
}
