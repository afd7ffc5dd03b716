/// Splits a command string into words by the shell's quoting rules, without a shell: single quotes, double quotes and
/// backslashes count; `$`, `*`, `|`, `>`, `#` and their like are plain characters.
struct CommandWords {
    /// Why a string cannot be split.
    struct Failure: Error {
        var message: String
    }

    /// The words; may be empty.
    let words: [String]
    /// Words that a shell would have acted upon, for a warning.
    let shellSyntax: [String]

    /// `pieces`: the string after interpolation. A value that was put in is never split or unquoted: a directory with
    /// a space in its name stays one word. An empty one makes no word of its own unless it is quoted.
    ///
    /// An unquoted leading `~/` of a word, or `~` alone, becomes the home directory.
    init(_ pieces: [Interpolation.Piece], homeDirectory: String) throws(Failure) {
        var splitter = Splitter(homeDirectory: homeDirectory)
        for piece in pieces {
            switch piece {
            case .value(let value):
                splitter.append(value: value)
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
        words = splitter.words
        shellSyntax = splitter.shellSyntax
    }

    private struct Splitter {
        enum State {
            case plain, word, escaped, single, double, doubleEscaped
        }

        let homeDirectory: String
        var state = State.plain
        var words: [String] = []
        var shellSyntax: [String] = []
        private var word = String.UnicodeScalarView()
        /// Whether the word's first two characters were written without quotes, which is what `~/` needs.
        private var bareCount = 0
        private var isQuoted = false

        init(homeDirectory: String) {
            self.homeDirectory = homeDirectory
        }

        mutating func append(value: String) {
            switch state {
            case .escaped: state = .word
            case .doubleEscaped: state = .double
            case .plain where !value.isEmpty: state = .word
            case .plain, .word, .single, .double: break
            }
            isQuoted = isQuoted || !value.isEmpty
            word.append(contentsOf: value.unicodeScalars)
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
                word.append(scalar)
            case (.single, "'"), (.double, "\""):
                state = .word
            case (.double, "\\"):
                state = .doubleEscaped
            case (.single, _), (.double, _):
                word.append(scalar)
            case (.escaped, _):
                state = .word
                // A backslash before a line's end joins the lines.
                if scalar != "\n" { word.append(scalar) }
            case (.doubleEscaped, _):
                state = .double
                switch scalar {
                case "\n": break
                case "\"", "\\", "$", "`": word.append(scalar)
                default: word.append(contentsOf: ["\\", scalar])
                }
            }
        }

        mutating func endWord() {
            defer {
                (state, word, bareCount, isQuoted) = (.plain, String.UnicodeScalarView(), 0, false)
            }
            guard state == .word else { return }
            var text = String(word)
            if bareCount >= 2, text.hasPrefix("~/") {
                text = homeDirectory + text.dropFirst()
            } else if text == "~", !isQuoted {
                text = homeDirectory
            } else if !isQuoted, ["|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1", "&>"].contains(text) {
                shellSyntax.append(text)
            }
            words.append(text)
        }
    }
}
