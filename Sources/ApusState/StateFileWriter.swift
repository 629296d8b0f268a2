/// Writes the numbers and bytes of the files of broadcast and operator state.
struct StateFileWriter {
    /// What was written.
    private(set) var bytes: [UInt8]

    /// Begins a file with these bytes and its version.
    init(magic: [UInt8], version: UInt32) {
        bytes = magic
        add(version)
    }

    /// Adds a number, little-endian.
    mutating func add(_ number: some FixedWidthInteger) {
        // SAFETY: the bytes are copied within the call.
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Adds bytes as they are.
    mutating func add(_ more: [UInt8]) { bytes += more }
}
