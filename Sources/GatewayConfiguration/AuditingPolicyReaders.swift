/// The file sinks of one file, which must not share a path.
struct FileSinks {
    let reading: Reading
    /// Those that are enabled and usable, in the order written.
    private(set) var enabled: [FileAuditingSettings] = []
    private var positions: [String: YAMLPosition] = [:]

    init(reading: Reading) {
        self.reading = reading
    }

    mutating func add(_ entry: PolicyEntry) {
        guard let config = entry.config(keys: FileAuditingReader.keys) else { return }
        let sink = FileAuditingReader(entry: entry, config: config).read()
        guard entry.isEnabled, let sink else { return }
        let position = config.position(of: config.has("output_file") ? "output_file" : "file")
        if let first = positions.updateValue(position, forKey: FilePath.identity(sink.outputFile)) {
            reading.refuse(
                position,
                "two sinks on one path, '\(printable(sink.outputFile))' (the other at \(first.line):\(first.column)); "
                    + "give each its own")
        }
        enabled.append(sink)
    }
}

/// `config` of policy `file_auditing`.
struct FileAuditingReader {
    let entry: PolicyEntry
    let config: Section

    private typealias Format = FileAuditingSettings.Format
    private typealias Mode = FileAuditingSettings.Mode

    static let keys = [
        "output_file", "file", "format", "mode", "max_file_size_mb", "backup_count", "durability", "file_mode", "group",
        "csv_config", "include_request_body", "include_response_body", "max_body_size", "timestamp_precision",
        "timestamp_prefix",
    ]

    static let formatAliases: [String: FileAuditingSettings.Format] = [
        "jsonl": .json, "simple": .line, "detailed": .debug,
    ]
    static let modeAliases: [String: FileAuditingSettings.Mode] = [
        "all_events": .all, "security_only": .security, "critical": .security, "operations_only": .operations,
    ]

    static let delimiterAliases: [String: CSVSettings.Delimiter] = ["\t": .tab]

    private var reading: Reading { entry.reading }

    /// nil without a usable path; the reason is reported.
    func read() -> FileAuditingSettings? {
        var sink = FileAuditingSettings(outputFile: "")
        if let format = config.choice("format", Format.self, aliases: Self.formatAliases) { sink.format = format }
        if let mode = config.choice("mode", Mode.self, aliases: Self.modeAliases) { sink.mode = mode }
        readRotation(&sink)
        if let critical = entry.critical(config) { sink.critical = critical }
        if let durability = config.choice("durability", FileAuditingSettings.Durability.self) {
            sink.durability = durability
        }
        let mode = config.permissions("file_mode", valid: "\"0600\", \"0640\"") { $0 == 0o600 || $0 == 0o640 }
        if let mode { sink.fileMode = mode }
        sink.group = config.group("group")
        if sink.group != nil, sink.fileMode & 0o040 == 0 {
            reading.warn(config.position(of: "group"), "\(config.path("group")) has no effect with file_mode \"0600\"")
        }
        if let include = config.flag("include_request_body") { sink.includeRequestBody = include }
        if let include = config.flag("include_response_body") { sink.includeResponseBody = include }
        if let size = config.integer("max_body_size", in: 1...16_777_216) { sink.maxBodySize = size }
        if let precision = config.choice("timestamp_precision", FileAuditingSettings.Precision.self) {
            sink.timestampPrecision = precision
        }
        readFormatOptions(&sink)
        warnOfBodies(sink)
        if let place = entry.place("priority", config) {
            _ = entry.priority(config)
            reading.warn(place.keyPosition(of: "priority"), "'priority' has no effect on an auditing policy")
        }
        guard let path = outputFile() else { return nil }
        sink.outputFile = path
        return sink
    }

    private func outputFile() -> String? {
        if config.has("output_file"), config.has("file") {
            reading.refuse(
                config.keyPosition(of: "file"), "'file' is another name for 'output_file'; keep one of them")
        }
        let key = config.has("output_file") ? "output_file" : "file"
        guard config.has(key) else {
            entry.requireKey("output_file", in: config, "name the file to write")
            return nil
        }
        guard let text = config.text(key), let path = reading.path(text) else { return nil }
        guard path != "/", !text.value.hasSuffix("/") else {
            reading.refuse(text.position, "\(text.name) names a directory; name a file in it")
            return nil
        }
        return path
    }

    private func readRotation(_ sink: inout FileAuditingSettings) {
        if let size = config.number("max_file_size_mb", in: 0.001...1_048_576, unit: "megabytes") {
            sink.maxFileBytes = Int((size * 1024 * 1024).rounded())
        }
        if let count = config.integer("backup_count", in: 0...1000) {
            sink.backupCount = count
            if count == 0 {
                reading.warn(
                    config.position(of: "backup_count"), "backup_count 0 never rotates: the file grows for ever")
            }
        }
    }

    private func readFormatOptions(_ sink: inout FileAuditingSettings) {
        if let prefix = config.flag("timestamp_prefix") { sink.timestampPrefix = prefix }
        if config.has("timestamp_prefix"), sink.format != .tool {
            reading.refuse(config.keyPosition(of: "timestamp_prefix"), "timestamp_prefix is for format 'tool' only")
        }
        if config.has("csv_config"), sink.format != .csv {
            reading.refuse(config.keyPosition(of: "csv_config"), "csv_config is for format 'csv' only")
        }
        let keys = ["delimiter", "quote_char", "quote_style", "escape_char", "null_value", "extended_columns"]
        guard let section = config.section("csv_config", keys: keys) else { return }
        if let delimiter = section.choice("delimiter", CSVSettings.Delimiter.self, aliases: Self.delimiterAliases) {
            sink.csv.delimiter = delimiter
        }
        if let quote = character("quote_char", section) { sink.csv.quoteCharacter = quote }
        if let style = section.choice("quote_style", CSVSettings.QuoteStyle.self) { sink.csv.quoteStyle = style }
        sink.csv.escapeCharacter = character("escape_char", section)
        if let null = section.text("null_value") { sink.csv.nullValue = null.value }
        if let extended = section.flag("extended_columns") { sink.csv.extendedColumns = extended }
        refuseDelimiter(sink.csv, section)
    }

    /// A character that means two things would make rows unreadable.
    private func refuseDelimiter(_ csv: CSVSettings, _ section: Section) {
        for (key, value) in [("quote_char", csv.quoteCharacter), ("escape_char", csv.escapeCharacter ?? "")]
        where value == csv.delimiter.rawValue {
            reading.refuse(section.position(of: key), "\(section.path(key)) is the delimiter too; choose another")
        }
    }

    /// Bodies that a format never prints, or not as configured.
    private func warnOfBodies(_ sink: FileAuditingSettings) {
        func warn(_ key: String, _ why: String) {
            reading.warn(config.position(of: key), "\(config.path(key)) has no effect\(why)")
        }
        switch sink.format {
        case .csv where !sink.csv.extendedColumns:
            let why = " in format 'csv' without csv_config.extended_columns"
            if sink.includeRequestBody { warn("include_request_body", why) }
            if sink.includeResponseBody { warn("include_response_body", why) }
        case .tool where sink.includeResponseBody:
            warn("include_response_body", " in format 'tool', which prints a summary of each result")
        case .json, .line, .debug, .csv, .tool: break
        }
    }

    private func character(_ key: String, _ section: Section) -> String? {
        guard let text = section.text(key) else { return nil }
        let isOne = text.value.utf8.count == 1 && text.value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard isOne, let byte = text.value.utf8.first else {
            reading.refuse(
                text.position, "\(text.name): '\(printable(text.raw))' is not one visible ASCII character")
            return nil
        }
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: ":"),
            UInt8(ascii: "."):
            // Our own cells are made of these and are never escaped.
            reading.refuse(
                text.position,
                "\(text.name): '\(printable(text.raw))' is part of names and times; use other punctuation, such as ' or \""
            )
            return nil
        default: return text.value
        }
    }
}

/// `config` of policy `journal_auditing`.
struct JournalAuditingReader {
    let entry: PolicyEntry

    /// nil when `config` is no mapping; the reason is reported.
    func read() -> JournalAuditingSettings? {
        guard let config = entry.config(keys: ["identifier", "format", "mode"]) else { return nil }
        var journal = JournalAuditingSettings()
        if let identifier = config.nonEmptyText("identifier") { journal.identifier = identifier.value }
        if let format = config.choice("format", JournalAuditingSettings.Format.self) { journal.format = format }
        let mode = config.choice("mode", FileAuditingSettings.Mode.self, aliases: FileAuditingReader.modeAliases)
        if let mode { journal.mode = mode }
        if let critical = entry.critical(config) { journal.critical = critical }
        if let place = entry.place("priority", config) {
            _ = entry.priority(config)
            entry.reading.warn(place.keyPosition(of: "priority"), "'priority' has no effect on an auditing policy")
        }
        return journal
    }
}
