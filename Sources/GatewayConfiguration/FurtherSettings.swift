/// Policy `output_sanitization`.
public struct OutputSanitizationSettings: Hashable, Sendable {
    /// What an operator is told, at the start and by `status`, when it is off.
    public static let offWarning =
        "output_sanitization is off: what tools answer reaches agents with hidden characters, markup and all"

    /// What is done to a text, in this order.
    public enum Stage: String, Hashable, Sendable, CaseIterable {
        case invisible, markup
        case codeFences = "code_fences"
    }
    /// Never empty; all of them unless chosen.
    public var stages: Set<Stage>
    /// 0 to 100; lower runs first. Default 50.
    public var priority: Int

    /// Joins the two settings.
    public init(stages: Set<Stage> = Set(Stage.allCases), priority: Int = 50) {
        self.stages = stages
        self.priority = priority
    }
}

/// Policy `journal_auditing`.
public struct JournalAuditingSettings: Hashable, Sendable {
    /// How `MESSAGE` is printed.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        case line, json, tool
    }
    /// `SYSLOG_IDENTIFIER`. Default `gatekit-audit`.
    public var identifier: String
    /// Default line.
    public var format: Format
    /// Default all.
    public var mode: FileAuditingSettings.Mode
    /// Default false: a datagram's acceptance proves nothing.
    public var critical: Bool

    /// The default mirror.
    public init() {
        identifier = "gatekit-audit"
        format = .line
        mode = .all
        critical = false
    }
}

/// `csv_config` of a `file_auditing` policy.
public struct CSVSettings: Hashable, Sendable {
    /// Between two cells.
    public enum Delimiter: String, Hashable, Sendable, CaseIterable {
        case comma = ","
        case semicolon = ";"
        case bar = "|"
        case tab
    }
    /// Which cells are quoted.
    public enum QuoteStyle: String, Hashable, Sendable, CaseIterable {
        case minimal, all, nonnumeric, none
    }
    /// Default comma.
    public var delimiter: Delimiter
    /// One ASCII character. Default `"`.
    public var quoteCharacter: String
    /// Default minimal.
    public var quoteStyle: QuoteStyle
    /// One ASCII character; nil doubles the quote.
    public var escapeCharacter: String?
    /// What an empty cell reads. Default empty.
    public var nullValue: String
    /// Whether the context's columns follow. Default false.
    public var extendedColumns: Bool

    /// RFC 4180.
    public init() {
        delimiter = .comma
        quoteCharacter = "\""
        quoteStyle = .minimal
        escapeCharacter = nil
        nullValue = ""
        extendedColumns = false
    }
}
