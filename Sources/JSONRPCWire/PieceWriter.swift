/// Writes pieces one behind the other into memory that a buffer lends.
///
/// A buffer's own write functions test uniqueness, capacity and exclusivity for each piece, which for the handful of
/// short pieces of a spliced message costs more than the copying. Here each piece is checked against the room only.
struct PieceWriter {
    private let target: UnsafeMutableRawBufferPointer
    /// How many bytes have been written.
    private(set) var count = 0

    /// `target` must outlive the writer.
    init(_ target: UnsafeMutableRawBufferPointer) {
        self.target = target
    }

    @inline(__always)
    mutating func append(_ piece: UnsafeRawBufferPointer) {
        let room = UnsafeMutableRawBufferPointer(rebasing: target[count...])
        precondition(piece.count <= room.count, "a piece is longer than the room for it")
        room.copyMemory(from: piece)
        count &+= piece.count
    }

    /// Appends the lowest `length` bytes of two words, first things first. There must be room for both words.
    @inline(__always)
    mutating func append(_ first: UInt64, _ second: UInt64, length: Int) {
        precondition(count &+ 16 <= target.count && length <= 16, "two words are longer than the room for them")
        target.storeBytes(of: first.littleEndian, toByteOffset: count, as: UInt64.self)
        target.storeBytes(of: second.littleEndian, toByteOffset: count &+ 8, as: UInt64.self)
        count &+= length
    }
}
