/// Reads what ``StateFileWriter`` has written; nothing is trusted.
struct StateFileReader {
    private let bytes: [UInt8]
    private var at: Int

    /// Begins to read; nil when the file begins with other bytes, or is of another version.
    init?(_ bytes: [UInt8], magic: [UInt8], version: UInt32) {
        guard bytes.starts(with: magic) else { return nil }
        self.bytes = bytes
        at = magic.count
        guard read(UInt32.self) == version else { return nil }
    }

    /// Whether all was read.
    var isAtEnd: Bool { at == bytes.count }

    /// Reads a number; nil when the file ends before it does.
    mutating func read<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
        guard let some = take(MemoryLayout<Number>.size) else { return nil }
        return some.reversed().reduce(0) { $0 << 8 | Number($1) }
    }

    /// Reads so many bytes; nil when the file ends before.
    mutating func take(_ count: Int) -> [UInt8]? {
        guard count <= bytes.count - at else { return nil }
        defer { at += count }
        return Array(bytes[at..<at + count])
    }
}
