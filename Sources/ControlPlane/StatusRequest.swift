/// `status`.
public enum StatusRequest {
    /// What `--json` prints when nothing runs.
    struct Nothing: Encodable {
        struct Look: Encodable {
            var path: String
            var finding: String
        }

        var state = "not running"
        var looked: [Look]
    }

    /// Asks the instance. Exit code 3 with every place when there is none.
    public static func run(_ selection: InstanceSelection, json: Bool) -> CommandResult {
        let instances = Instances.search(selection.places)
        do {
            let (_, status) = try instances.only(config: selection.config).connect()
            return CommandResult(code: 0, output: json ? try ControlJSON.pretty(status) + "\n" : status.text)
        } catch let error as ControlError {
            var result = CommandResult(error)
            if json, error.code == .notRunning {
                let looked = instances.looked.map { Nothing.Look(path: $0.path, finding: $0.finding) }
                // Strings can be encoded.
                result.output = (try? ControlJSON.pretty(Nothing(looked: looked)) + "\n") ?? ""
            }
            return result
        } catch {
            return CommandResult(code: 1, errors: "the status cannot be printed: \(error)\n")
        }
    }
}
