import Glibc

/// Bytes that grow at the end and are taken from the front: what a sink has encoded and not yet written.
///
/// Loop-confined. It owns raw memory instead of an array because a record is some twenty short appends, and each of
/// an array's would check uniqueness again.
final class LineBuffer {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    /// What is kept allocated once the buffer is empty again, in bytes.
    private static let retained = 256 * 1024

    init(capacity: Int = 4096) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit {
        base.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// The bytes, valid until the next change.
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

    subscript(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        return base[index]
    }

    @inline(__always)
    private func makeRoom(_ more: Int) {
        if count + more > capacity { grow(more) }
    }

    @inline(never)
    private func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: base, count: count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    @inline(__always)
    func append(_ byte: UInt8) {
        makeRoom(1)
        base[count] = byte
        count += 1
    }

    @inline(__always)
    func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    func append(_ more: UnsafeBufferPointer<UInt8>) {
        // An empty buffer pointer may hold no address.
        guard let start = more.baseAddress else { return }
        makeRoom(more.count)
        memcpy(base + count, start, more.count)
        count += more.count
    }

    func append(_ more: [UInt8]) {
        more.withUnsafeBufferPointer { append($0) }
    }

    /// Appends what `other` holds.
    @inline(__always)
    func append(_ other: LineBuffer) {
        append(other.bytes)
    }

    func append(decimal value: UInt64) {
        makeRoom(20)
        var digits = 1
        var bound: UInt64 = 10
        while digits < 20, value >= bound {
            digits += 1
            if digits < 20 { bound &*= 10 }
        }
        var rest = value
        var at = count + digits
        repeat {
            at -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            base[at] = 0x30 &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest > 0
        count += digits
    }

    func append(decimal value: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: UInt64(value.magnitude))
    }

    /// Appends two hex digits.
    func append(hex byte: UInt8) {
        for digit in [byte >> 4, byte & 0xF] { append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10) }
    }

    /// Replaces each `byte` from `start` on.
    func replace(_ byte: UInt8, with other: UInt8, from start: Int) {
        precondition(start >= 0 && start <= count)
        for index in start..<count where base[index] == byte { base[index] = other }
    }

    /// Turns ASCII letters from `start` on into capitals.
    func uppercase(from start: Int) {
        precondition(start >= 0 && start <= count)
        for index in start..<count where base[index] >= 0x61 && base[index] <= 0x7A { base[index] &= 0xDF }
    }

    /// Forgets everything behind the first `length` bytes.
    func truncate(to length: Int) {
        precondition(length >= 0 && length <= count)
        count = length
    }

    /// Puts `byte` in front of everything.
    func prepend(_ byte: UInt8) {
        append(byte)
        memmove(base + 1, base, count - 1)
        base[0] = byte
    }

    /// Takes the first `length` bytes away.
    func removeFirst(_ length: Int) {
        precondition(length >= 0 && length <= count)
        count -= length
        if count > 0 {
            memmove(base, base + length, count)
        } else if capacity > Self.retained {
            base.deallocate()
            capacity = Self.retained
            base = .allocate(capacity: capacity)
        }
    }
}
