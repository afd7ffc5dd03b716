internal import Glibc

/// `stop`: SIGTERM, and the end of that very process.
public enum StopRequest {
    /// Blocks until the process has ended, at most `timeout` seconds.
    public static func run(_ selection: InstanceSelection, timeout: Double) -> CommandResult {
        do throws(ControlError) {
            let instance = try selection.find()
            let began = ControlTime.monotonic()
            try instance.process.signal(SIGTERM)
            guard instance.process.waitForExit(until: began + UInt64(timeout * 1_000_000_000)) else {
                throw ControlError(
                    .timedOut,
                    "pid \(instance.file.pid) got SIGTERM and has not ended within \(timeout) s; "
                        + "it finishes what is in flight, at most proxy.timeouts.shutdown_timeout")
            }
            let took = PlainText.milliseconds(Double((ControlTime.monotonic() - began) / 1000) / 1000)
            return CommandResult(
                code: 0, output: "Stopped \(selection.program) (pid=\(instance.file.pid)) in \(took).\n")
        } catch {
            return CommandResult(error)
        }
    }
}

/// `restart`: SIGUSR2, and the answer of the next program image under the same pid.
public enum RestartRequest {
    /// Blocks until the new image answers, at most `timeout` seconds.
    public static func run(_ selection: InstanceSelection, timeout: Double) -> CommandResult {
        run(selection, timeout: timeout) { instance throws(ControlError) in try instance.process.signal(SIGUSR2) }
    }

    static func run(
        _ selection: InstanceSelection, timeout: Double, signal: (Instance) throws(ControlError) -> Void
    ) -> CommandResult {
        do throws(ControlError) {
            let instance = try selection.find()
            let (_, before) = try instance.connect()
            let began = ControlTime.monotonic()
            try signal(instance)
            let after = try next(of: instance, after: before, deadline: began + UInt64(timeout * 1_000_000_000))
            let took = PlainText.milliseconds(Double((ControlTime.monotonic() - began) / 1000) / 1000)
            let version =
                before.version == after.version ? after.version : "\(before.version) -> \(after.version)"
            return CommandResult(
                code: 0,
                output: "Restarted \(selection.program) (pid=\(after.pid)) in \(took): version \(version), "
                    + "hash \(after.config.hash)\n")
        } catch {
            return CommandResult(error)
        }
    }

    private static func next(
        of instance: Instance, after before: StatusReport, deadline: UInt64
    ) throws(ControlError) -> StatusReport {
        var silence: ControlError?
        var refusal: StatusReport.RefusedRestart?
        while ControlTime.monotonic() < deadline {
            // The pause between two questions, cut short by the end of the process.
            if instance.process.waitForExit(until: ControlTime.monotonic() + 50_000_000) {
                throw ControlError(
                    .ended, "pid \(instance.file.pid) ended instead of starting again; its log says why")
            }
            do throws(ControlError) {
                let (_, status) = try instance.connect()
                // The clock may have been set back: any other start is the next one.
                if status.startedAt != before.startedAt { return status }
                refusal = status.refusedRestart == before.refusedRestart ? nil : status.refusedRestart
            } catch {
                // While one image has gone and the next is not there yet, nobody answers.
                silence = error
            }
            if let refusal {
                throw ControlError(
                    .refused,
                    "restart refused, the running program goes on:\n  " + refusal.problems.joined(separator: "\n  "))
            }
        }
        let detail = silence.map { " (\($0))" } ?? ""
        throw ControlError(
            .timedOut, "pid \(instance.file.pid) got SIGUSR2 but has not started again in time\(detail)")
    }
}
