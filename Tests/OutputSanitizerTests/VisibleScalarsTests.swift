import Testing

@testable import OutputSanitizer

@Suite("VisibleScalars")
struct VisibleScalarsTests {
    @Test("the table says of every scalar what the standard library does")
    func table() {
        let scalars = VisibleScalars.shared
        let wrong = (0...UInt32(0x10FFFF)).filter { value in
            let isHidden = Unicode.Scalar(value).map(Oracle.isInvisible) ?? false
            return scalars.hides(value) != isHidden && !(0xD800...0xDFFF ~= value)
        }
        #expect(wrong.isEmpty, "U+\(wrong.prefix(5).map { String($0, radix: 16) })")
    }

    @Test("a surrogate is no scalar that could be hidden")
    func surrogates() {
        #expect((0xD800...0xDFFF).allSatisfy { !VisibleScalars.shared.hides($0) })
    }
}
