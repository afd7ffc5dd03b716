import GatewayConfiguration
import GatewayEvents

/// Room in the file, and the account of what is missing.
extension FileSink {
    /// What the pending records and the responses of admitted requests need, one AUDIT_GAP, and the header of a file
    /// that may be begun in between.
    var roomInUse: Int {
        encoder.header.count + pending.count + outstanding * encoder.largestAnswer + encoder.largestGap
    }

    /// The same with one more request.
    var roomToPass: Int {
        roomInUse + encoder.largestRequest + encoder.largestAnswer
    }

    func reserve(_ length: Int) -> String? {
        guard let shortage = file.reserve(length, mayExtend: mayReserve) else { return nil }
        mayReserve = false
        lastError = shortage
        return shortage
    }

    func close(_ reason: String) {
        if settings.critical { closed = closed ?? reason }
    }

    /// Why an event that has no place of its own can not be recorded now. Writes the AUDIT_GAP that is due before it.
    func obstacle() -> String? {
        if let closed { return closed }
        if let writeFailure, settings.critical || pending.count >= Self.mostPending { return writeFailure }
        guard gap != nil else { return nil }
        if settings.critical, let shortage = reserve(roomInUse + encoder.largestGap) { return shortage }
        writeGap()
        return nil
    }

    func miss(_ time: Int64, _ reason: String) {
        seq += 1
        missing += 1
        if gap == nil { gap = SinkNotice.Gap(first: time, last: time, count: 0, reason: reason) }
        gap?.last = time
        gap?.count += 1
    }

    func writeGap() {
        guard let gap else { return }
        self.gap = nil
        gaps += 1
        record(.gap(gap))
    }

    /// Opens the gate if everything works again, behind the record of what is missing.
    func recover() {
        guard writeFailure == nil, followFailure == nil, syncFailure == nil else { return }
        if settings.critical, reserve(roomToPass + encoder.largestGap) != nil { return }
        writeGap()
        closed = nil
    }
}
