/// Splits a command string into words by the shell's quoting rules, without a shell: single quotes, double quotes and
/// backslashes count; `$`, `*`, `|`, `>`, `#` and their like are plain characters.
struct CommandWords {
    /// Why a string cannot be split.
    struct Failure: Error {
        var message: String
    }

    /// The words; may be empty.
    let words: [String]
    /// The same words with their references as written.
    let wordsAsWritten: [String]
    /// Words that a shell would have acted upon, for a warning.
    let shellSyntax: [String]

    /// `pieces`: the string after interpolation. A value that was put in is never split or unquoted: a directory with
    /// a space in its name stays one word. An empty one makes no word of its own unless it is quoted.
    ///
    /// An unquoted leading `~/` of a word, or `~` alone, becomes the home directory.
    init(_ pieces: [Interpolation.Piece], homeDirectory: String?) throws(Failure) {
        var splitter = Splitter(homeDirectory: homeDirectory)
        for piece in pieces {
            switch piece {
            case .value(let value, let reference):
                splitter.append(value: value, reference: reference)
            case .literal(let text):
                for scalar in text.unicodeScalars { splitter.append(scalar) }
            }
        }
        switch splitter.state {
        case .plain, .word: break
        case .escaped: throw Failure(message: "the command ends with a backslash that escapes nothing")
        case .single: throw Failure(message: "the command has a single quote that is never closed")
        case .double, .doubleEscaped: throw Failure(message: "the command has a double quote that is never closed")
        }
        splitter.endWord()
        guard !splitter.lacksHome else {
            throw Failure(message: "'~' in the command cannot be expanded, the home directory is not known; set HOME")
        }
        words = splitter.words
        wordsAsWritten = splitter.wordsAsWritten
        shellSyntax = splitter.shellSyntax
    }

    private struct Splitter {
        enum State {
            case plain, word, escaped, single, double, doubleEscaped
        }

        let homeDirectory: String?
        var lacksHome = false
        var state = State.plain
        var words: [String] = []
        var wordsAsWritten: [String] = []
        var shellSyntax: [String] = []
        private var word = String.UnicodeScalarView()
        private var written = String.UnicodeScalarView()
        /// Whether the word's first two characters were written without quotes, which is what `~/` needs.
        private var bareCount = 0
        private var isQuoted = false

        init(homeDirectory: String?) {
            self.homeDirectory = homeDirectory
        }

        mutating func append(value: String, reference: String) {
            if state == .plain, value.isEmpty { return }
            switch state {
            case .escaped, .plain: state = .word
            case .doubleEscaped: state = .double
            case .word, .single, .double: break
            }
            isQuoted = isQuoted || !value.isEmpty
            word.append(contentsOf: value.unicodeScalars)
            written.append(contentsOf: reference.unicodeScalars)
        }

        private mutating func take(_ scalars: Unicode.Scalar...) {
            word.append(contentsOf: scalars)
            written.append(contentsOf: scalars)
        }

        mutating func append(_ scalar: Unicode.Scalar) {
            switch (state, scalar) {
            case (.plain, " "), (.plain, "\t"), (.plain, "\n"), (.plain, "\r"):
                break
            case (.word, " "), (.word, "\t"), (.word, "\n"), (.word, "\r"):
                endWord()
            case (.plain, "'"), (.word, "'"):
                (state, isQuoted) = (.single, true)
            case (.plain, "\""), (.word, "\""):
                (state, isQuoted) = (.double, true)
            case (.plain, "\\"), (.word, "\\"):
                (state, isQuoted) = (.escaped, true)
            case (.plain, _), (.word, _):
                state = .word
                if bareCount == word.count { bareCount += 1 }
                take(scalar)
            case (.single, "'"), (.double, "\""):
                state = .word
            case (.double, "\\"):
                state = .doubleEscaped
            case (.single, _), (.double, _):
                take(scalar)
            case (.escaped, _):
                state = .word
                // A backslash before a line's end joins the lines.
                if scalar != "\n" { take(scalar) }
            case (.doubleEscaped, _):
                state = .double
                switch scalar {
                case "\n": break
                case "\"", "\\", "$", "`": take(scalar)
                default: take("\\", scalar)
                }
            }
        }

        mutating func endWord() {
            defer {
                (state, bareCount, isQuoted) = (.plain, 0, false)
                (word, written) = (String.UnicodeScalarView(), String.UnicodeScalarView())
            }
            guard state == .word else { return }
            var text = String(word)
            var textAsWritten = String(written)
            if bareCount >= 2 && text.hasPrefix("~/") || text == "~" && !isQuoted {
                lacksHome = lacksHome || homeDirectory == nil
                text = (homeDirectory ?? "") + text.dropFirst()
                textAsWritten = (homeDirectory ?? "") + textAsWritten.dropFirst()
            } else if !isQuoted, ["|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1", "&>"].contains(text) {
                shellSyntax.append(text)
            }
            words.append(text)
            wordsAsWritten.append(textAsWritten)
        }
    }
}
