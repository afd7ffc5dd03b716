/// The files that a configuration names, each read exactly once per reading of the configuration, so that what is
/// validated, what is hashed and what is applied are the same bytes.
final class NamedFiles {
    private let read: (String) throws(RegularFile.Failure) -> RegularFile
    private var results: [String: Result<RegularFile, RegularFile.Failure>] = [:]
    /// What was read, in the order of the first reading.
    private(set) var files: [ConfigurationSource.File] = []

    /// Reads from the disk; tests read from memory.
    init(read: @escaping (String) throws(RegularFile.Failure) -> RegularFile = RegularFile.init(_:)) {
        self.read = read
    }

    /// The file at an absolute path, as it was when it was first asked for.
    func file(_ path: String) throws(RegularFile.Failure) -> RegularFile {
        if let result = results[path] { return try result.get() }
        do throws(RegularFile.Failure) {
            let file = try read(path)
            results[path] = .success(file)
            files.append(ConfigurationSource.File(path: path, bytes: file.bytes))
            return file
        } catch {
            results[path] = .failure(error)
            throw error
        }
    }
}
