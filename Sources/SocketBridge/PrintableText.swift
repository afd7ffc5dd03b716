/// Text of others, for a line on stderr: nothing in it ends the line or moves the cursor.
enum PrintableText {
    private static let longest = 512

    /// Control, format and line-separating characters become spaces; cut at 512 characters.
    static func line(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(longest) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: line.append(" ")
            default: line.append(scalar)
            }
        }
        return String(line)
    }
}
