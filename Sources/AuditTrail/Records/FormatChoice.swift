import GatewayConfiguration

/// Which encoder prints a format.
enum FormatChoice {
    static func encoder(for settings: FileAuditingSettings, run: String) -> any RecordEncoder {
        switch settings.format {
        case .json: JSONRecordEncoder(settings: settings, run: run)
        case .line: LineRecordEncoder(settings: settings, run: run)
        case .debug: DebugRecordEncoder(settings: settings, run: run)
        case .csv: CSVRecordEncoder(settings: settings, run: run)
        case .tool: ToolRecordEncoder(settings: settings, run: run)
        }
    }
}

extension FileAuditingSettings {
    /// Whether records under these settings may stand in one file behind those under `former`: one file, one format.
    func continues(_ former: FileAuditingSettings) -> Bool {
        guard format == former.format, mode == former.mode else { return false }
        switch format {
        case .csv: return csv == former.csv
        case .tool: return timestampPrefix == former.timestampPrefix
        case .json, .line, .debug: return true
        }
    }
}
