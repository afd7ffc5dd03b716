internal import Glibc

/// `reload`: a real SIGHUP, and the outcome of the first reload that began after it.
public enum ReloadRequest {
    /// What `--json` prints.
    struct Report: Codable, Hashable {
        var pid: Int32
        var previousGeneration: Int
        var reload: ReloadReport

        enum CodingKeys: String, CodingKey {
            case pid, reload
            case previousGeneration = "previous_generation"
        }
    }

    /// Blocks until the outcome, at most `timeout` seconds.
    public static func run(_ selection: InstanceSelection, timeout: Double, json: Bool) -> CommandResult {
        run(selection, timeout: timeout, json: json) { instance throws(ControlError) in
            try instance.process.signal(SIGHUP)
        }
    }

    static func run(
        _ selection: InstanceSelection, timeout: Double, json: Bool,
        signal: (Instance) throws(ControlError) -> Void
    ) -> CommandResult {
        do {
            let instance = try selection.find()
            let (client, status) = try instance.connect()
            try client.subscribe(until: ControlTime.monotonic() + Instance.answerTime)
            let asked = ControlTime.monotonic()
            try signal(instance)
            let report = try outcome(client, of: instance, since: asked, timeout)
            let text = report.result(program: selection.program, pid: status.pid, before: status.config.generation)
            guard json else { return text }
            let object = Report(pid: status.pid, previousGeneration: status.config.generation, reload: report)
            return CommandResult(code: text.code, output: try ControlJSON.pretty(object) + "\n")
        } catch let error as ControlError {
            return CommandResult(error)
        } catch {
            return CommandResult(code: 1, errors: "the outcome cannot be printed: \(error)\n")
        }
    }

    /// A reload that began before the signal may not have seen the newest files: its outcome is not ours.
    private static func outcome(
        _ client: ControlClient, of instance: Instance, since asked: UInt64, _ timeout: Double
    ) throws(ControlError) -> ReloadReport {
        let deadline = asked + UInt64(timeout * 1_000_000_000)
        while true {
            do throws(ControlError) {
                let report = try client.outcome(until: deadline)
                if report.began >= asked { return report }
            } catch {
                switch error.code {
                case .timedOut:
                    throw ControlError(
                        .timedOut,
                        "pid \(instance.file.pid) got SIGHUP but reported no outcome within \(timeout) s; "
                            + "'gatekit status' shows it once it is known")
                case .ended where instance.hasEnded:
                    throw ControlError(
                        .ended, "pid \(instance.file.pid) ended before the reload did; its log says why")
                default: throw error
                }
            }
        }
    }
}
