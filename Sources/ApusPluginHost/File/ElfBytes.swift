/// The bytes of a file that may be damaged or hostile: every access is checked against the end.
///
/// All integers are little-endian.
struct ElfBytes {
    private let bytes: [UInt8]

    /// The longest name that is read; those of C++ templates are long.
    static let textByteCountMax = 64 << 10

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// How many there are.
    var count: Int { bytes.count }

    /// An unsigned integer of 1, 2, 4 or 8 bytes.
    ///
    /// - Throws: ``Finding`` when it lies behind the end.
    func integer(at offset: Int, byteCount: Int) throws(Finding) -> UInt64 {
        guard offset >= 0, byteCount <= bytes.count, offset <= bytes.count - byteCount else {
            throw Finding.damaged(
                "A2",
                "a table reaches behind the end of the file; the file is damaged",
                expected: "tables inside of the file",
                found: "one at byte \(offset) of \(bytes.count)"
            )
        }
        var value: UInt64 = 0
        for index in (0..<byteCount).reversed() {
            value = value << 8 | UInt64(bytes[offset + index])
        }
        return value
    }

    /// An integer of 4 bytes or fewer, as an `Int`: it always fits.
    ///
    /// - Throws: ``Finding`` when it lies behind the end.
    func small(at offset: Int, byteCount: Int) throws(Finding) -> Int {
        Int(try integer(at: offset, byteCount: min(byteCount, 4)))
    }

    /// A text that ends with a zero byte.
    ///
    /// - Throws: ``Finding`` when it lies outside of the file or has no end.
    func text(at offset: Int) throws(Finding) -> String {
        guard offset >= 0, offset < bytes.count,
            let end = bytes[offset...].prefix(Self.textByteCountMax).firstIndex(of: 0)
        else {
            throw Finding.damaged(
                "A2",
                "a symbol's name lies outside of the file; the file is damaged",
                expected: "names inside of the file",
                found: "one at byte \(offset) of \(bytes.count)"
            )
        }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }

    /// As much of a text as there is, and no more than so many bytes.
    func beginning(ofTextAt offset: Int, byteCountMax: Int) -> String {
        guard offset >= 0, offset < bytes.count else { return "" }
        let text = bytes[offset...].prefix(byteCountMax).prefix { $0 != 0 }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a range that was checked, or as many of them as there are.
    func slice(_ range: Range<Int>) -> ArraySlice<UInt8> {
        bytes[range.clamped(to: 0..<bytes.count)]
    }

    /// Checks that a part ends inside of the file.
    ///
    /// - Returns: Its range.
    /// - Throws: ``Finding`` that calls the file truncated.
    @discardableResult
    func range(
        of part: String,
        start: UInt64,
        byteCount: UInt64
    ) throws(Finding) -> Range<Int> {
        let (end, overflow) = start.addingReportingOverflow(byteCount)
        guard !overflow, end <= UInt64(bytes.count) else {
            throw truncated(part, end: overflow ? UInt64.max : end)
        }
        return Int(start)..<Int(end)
    }

    /// A file that ends too early.
    func truncated(_ part: String, end: UInt64) -> Finding {
        Finding.damaged(
            "A2",
            "truncated: \(part) should end at byte \(end), the file has \(bytes.count) bytes; "
                + "build or copy it again",
            expected: "\(part) to end at byte \(end)",
            found: "\(bytes.count) bytes"
        )
    }
}
