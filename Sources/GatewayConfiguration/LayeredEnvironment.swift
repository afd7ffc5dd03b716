/// The process's environment and `.env` as one, with the gateway's switches taken from it.
struct LayeredEnvironment {
    /// What references in the YAML file see.
    let merged: [String: String]
    /// The variables that `.env` sets, sorted.
    let dotenvNames: [String]
    let switches: GatewaySwitches
    let problems: [ConfigurationProblem]
    let warnings: [ConfigurationProblem]
    /// Whether every line of `.env` could be read.
    let isComplete: Bool

    init(source: ConfigurationSource, process: [String: String], mode: ConfigurationReader.Occasion) {
        var problems: [ConfigurationProblem] = []
        var warnings: [ConfigurationProblem] = []
        let precedence: DotEnv.Precedence = mode == .start ? .process : .file
        let file = source.dotenv?.path ?? ""
        let dotenv = DotEnv(source.dotenv?.bytes ?? [])
        let variables = dotenv.variables(process: process, precedence: precedence)
        problems += dotenv.problems.map { ConfigurationProblem(file: file, line: $0.line, message: $0.message) }
        isComplete = problems.isEmpty

        for binding in dotenv.bindings where binding.value == nil {
            let name = variableName(binding.name)
            let problem = ConfigurationProblem(
                file: file, line: binding.line, message: "\(name) stands without '=' and sets nothing")
            if GatewaySwitches.names.contains(binding.name) {
                problems.append(problem)
            } else {
                warnings.append(problem)
            }
        }
        for name in [GatewaySwitches.configPathName, GatewaySwitches.dotenvPathName] where variables[name] != nil {
            warnings.append(
                ConfigurationProblem(
                    file: file, line: dotenv.line(of: name),
                    message: "\(name) has no effect in .env; set it in the process's environment"))
        }

        let fromProcess = GatewaySwitches.Layer(variables: process) { _ in ("environment", nil) }
        let withoutPaths = variables.filter {
            $0.key != GatewaySwitches.configPathName && $0.key != GatewaySwitches.dotenvPathName
        }
        let fromFile = GatewaySwitches.Layer(variables: withoutPaths) { (file, dotenv.line(of: $0)) }
        let layers = mode == .start ? [fromProcess, fromFile] : [fromFile, fromProcess]
        let switches = GatewaySwitches(layers: layers, problems: &problems)
        let off = GatewaySwitches.disableOutputSanitizationName
        if switches.disableOutputSanitization == true, let layer = layers.first(where: { $0.variables[off] != nil }) {
            let place = layer.place(off)
            warnings.append(
                ConfigurationProblem(
                    file: place.file, line: place.line,
                    message: "\(off) is on: \(OutputSanitizationSettings.offWarning)"))
        }

        self.switches = switches
        self.problems = problems
        self.warnings = warnings
        merged = dotenv.merged(process: process, precedence: precedence)
        dotenvNames = variables.keys.sorted()
    }
}
