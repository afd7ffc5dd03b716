import GatewayConfiguration

/// What a sink was opened with, by its kind.
enum SinkSettings {
    case file(FileAuditingSettings)
    case journal(JournalAuditingSettings)
}

/// A sink's settings as AUDIT_START names them, in every format: names and values.
enum SinkFacts {
    /// No more bytes than this, names included.
    static let largest = PrintedLimit.detail + 5 * PrintedLimit.identity + 512

    /// Appends each value behind what `name` appends for it, as JSON or, with `asWords`, without quotes where it is one
    /// word.
    static func append(
        _ sink: SinkSettings, asWords: Bool = true, to out: LineBuffer,
        name: (StaticString, LineBuffer) -> Void
    ) {
        func text(_ key: StaticString, _ value: String, limit: Int = PrintedLimit.identity) {
            name(key, out)
            if asWords {
                JSONText.appendWord(value, limit: limit, to: out)
            } else {
                JSONText.append(value, limit: limit, to: out)
            }
        }
        func flag(_ key: StaticString, _ value: Bool) {
            name(key, out)
            out.append(value ? "true" : "false")
        }
        func number(_ key: StaticString, _ value: Int) {
            name(key, out)
            out.append(decimal: value)
        }
        let settings: FileAuditingSettings
        switch sink {
        case .file(let file): settings = file
        case .journal(let journal):
            text("journal_identifier", journal.identifier)
            text("format", journal.format.rawValue)
            text("mode", journal.mode.rawValue)
            return flag("critical", journal.critical)
        }
        text("output_file", settings.outputFile, limit: PrintedLimit.detail)
        text("format", settings.format.rawValue)
        text("mode", settings.mode.rawValue)
        flag("critical", settings.critical)
        text("durability", settings.durability.rawValue)
        number("max_file_bytes", settings.maxFileBytes)
        number("backup_count", settings.backupCount)
        text("file_mode", "0" + String(settings.fileMode, radix: 8))
        if let group = settings.group { text("file_group", group) }
        flag("request_body", settings.includeRequestBody)
        flag("response_body", settings.includeResponseBody)
        number("max_body_size", settings.maxBodySize)
        text("timestamp_precision", settings.timestampPrecision.rawValue)
    }
}
