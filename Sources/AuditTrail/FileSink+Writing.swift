import GatewayConfiguration

/// Writing, rotating, and following what others do to the file.
extension FileSink {
    func taken(_ start: Int) {
        records += 1
        if settings.durability == .none, nextFlush == nil, writeFailure == nil {
            nextFlush = clock.monotonic() + Self.longestDelay
        }
        if max(file.size, encoder.header.count) + pending.count > settings.maxFileBytes { rotate(before: start) }
    }

    /// Rotates in front of the record that begins at `start`, if there is anything in front of it.
    func rotate(before start: Int) {
        guard settings.backupCount > 0, mayRotate, writeFailure == nil, start > 0 || file.size > encoder.header.count,
            start == 0 || write(start)
        else { return }
        switch file.rotate(backups: settings.backupCount, room: settings.critical ? roomInUse : 0) {
        case .done: break
        case .busy: mayRotate = false
        case .failed(let reason):
            mayRotate = false
            lastError = reason
        }
    }

    func flush() -> Bool {
        if file.isShared, !file.isInPlace() { follow() }
        guard write() else { return false }
        if gap != nil, closed == nil, !settings.critical {
            writeGap()
            return write()
        }
        return true
    }

    /// One write(2) of the first `length` pending bytes, or all. What the system does not take stays, byte for byte.
    func write(_ length: Int? = nil) -> Bool {
        let length = length ?? pending.count
        if !encoder.header.isEmpty, let reason = file.begin(with: encoder.header) {
            writeFailure = reason
            lastError = reason
            close(reason)
            return false
        }
        let taken = file.append(UnsafeBufferPointer(rebasing: pending.bytes.prefix(length)))
        if taken > 0 {
            bytes += UInt64(taken)
            isMidRecord = pending[taken - 1] != 0x0A
            pending.removeFirst(taken)
        }
        if pending.isEmpty { nextFlush = nil }
        guard taken < length else {
            writeFailure = nil
            return true
        }
        let reason =
            taken < 0
            ? "cannot write: \(systemText(Int32(-taken)))" : "only \(taken) of \(length) bytes could be written"
        writeFailure = reason
        lastError = reason
        // From here on the tick tries; a time in the past would have it tried without pause.
        nextFlush = nil
        close(reason)
        return false
    }

    func inspect() {
        guard file.isInPlace() else { return follow() }
        followFailure = nil
        file.refresh()
    }

    /// Goes on in what stands at the path now. A record whose beginning is in the old file is ended there first.
    func follow() {
        if file.isBeingRotated() { return }
        if isMidRecord {
            let end = pending.bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? pending.count
            guard write(end) else { return }
        }
        do {
            let opened = try file.follow(room: settings.critical ? roomToPass : 0)
            followFailure = nil
            try adjust(to: opened)
        } catch {
            followFailure = error.reason
            lastError = error.reason
            close(error.reason)
        }
    }
}
