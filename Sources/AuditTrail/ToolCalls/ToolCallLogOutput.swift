/// Where the tool-call log goes, which the start decides once: stderr does not change while a process runs.
public enum ToolCallLogOutput: Sendable {
    /// Entries of the system journal, because stderr is the journal.
    case journal
    /// Raw lines on stderr. Called on the loop with whole lines, each with its newline, or with none to write what an
    /// earlier call left behind. Takes as many lines as it can without waiting and returns how many bytes they are.
    case stderr(write: @Sendable (_ lines: UnsafeRawBufferPointer) -> Int)
}
