internal import COpenAt2
internal import Glibc

/// An open file, closed when its one owner lets go of it.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes over a descriptor that nobody else closes.
    init(owning number: Int32) {
        self.number = number
    }

    deinit {
        // Nothing can be done about a failing close; what was written has been checked by fsync before.
        _ = close(number)
    }

    /// Gives up ownership: the caller closes it.
    consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    /// Opens what `path` names below this directory, and nothing outside of it, ever; an errno else.
    func openBeneath(
        _ path: String, _ flags: Int32, mode: UInt32 = 0, followsLinks: Bool = true
    ) throws(SystemFailure) -> Descriptor {
        let result = copenat2_open_beneath(number, path, flags, mode, followsLinks)
        guard result >= 0 else { throw SystemFailure(number: -result) }
        return Descriptor(owning: result)
    }

    /// About the open file; `given` and `action` are for the error.
    func information(_ given: String, _ action: String) throws(FilesystemError) -> FileInformation {
        var found = copenat2_information()
        let result = copenat2_information(number, &found)
        guard result == 0 else { throw .system(given, -result, action) }
        return FileInformation(found)
    }

    /// About the entry `name` of this directory itself, not about what it links to.
    func information(of name: String) throws(SystemFailure) -> FileInformation {
        var found = copenat2_information()
        let result = copenat2_information_at(number, name, &found)
        guard result == 0 else { throw SystemFailure(number: -result) }
        return FileInformation(found)
    }
}

/// The errno of a failed call, before it is known what the caller called the file.
struct SystemFailure: Error, Hashable {
    let number: Int32

    func error(_ path: String, _ action: String) -> FilesystemError {
        .system(path, number, action)
    }
}
