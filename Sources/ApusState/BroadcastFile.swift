/// The file of a checkpoint or savepoint that has the broadcast state of an operator.
///
/// Numbers are little-endian:
///
///     offset      bytes
///     0           "APUSBCST"
///     8           u32 format version, 1
///     12          u32 number of maps, in the order of their declaration; then for each:
///                 u64 number of entries, in the order of their keys; then for each:
///                 u32 key length, u32 value length, key, value
///
/// Nothing follows the last entry.  The file is checked by its name, which is its content's hash.
package enum BroadcastFile {
    private static let magic = Array("APUSBCST".utf8)
    private static let version: UInt32 = 1

    /// The bytes of a file.
    ///
    /// - Parameter contents: The entries of each map, in the order of their keys.
    /// - Returns: All bytes of it.
    package static func encode(_ contents: [[BroadcastEntry]]) -> [UInt8] {
        var bytes = magic
        append(version, to: &bytes)
        append(UInt32(contents.count), to: &bytes)
        for entries in contents {
            append(UInt64(entries.count), to: &bytes)
            for entry in entries {
                append(UInt32(entry.key.count), to: &bytes)
                append(UInt32(entry.value.count), to: &bytes)
                bytes += entry.key
                bytes += entry.value
            }
        }
        return bytes
    }

    /// Reads a file.
    ///
    /// - Returns: The entries of each map; nil when it is damaged, or of a newer format.
    package static func decode(_ bytes: [UInt8]) -> [[BroadcastEntry]]? {
        guard bytes.starts(with: magic) else { return nil }
        var at = magic.count
        guard read(UInt32.self, bytes, &at) == version, let count = read(UInt32.self, bytes, &at)
        else { return nil }
        var contents: [[BroadcastEntry]] = []
        for _ in 0..<count {
            guard let entryCount = read(UInt64.self, bytes, &at) else { return nil }
            var entries: [BroadcastEntry] = []
            for _ in 0..<entryCount {
                guard let keyCount = read(UInt32.self, bytes, &at),
                    let valueCount = read(UInt32.self, bytes, &at),
                    let key = take(Int(keyCount), bytes, &at),
                    let value = take(Int(valueCount), bytes, &at)
                else { return nil }
                if let last = entries.last, !last.key.lexicographicallyPrecedes(key) { return nil }
                entries.append(BroadcastEntry(key: key, value: value))
            }
            contents.append(entries)
        }
        return at == bytes.count ? contents : nil
    }

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        // SAFETY: the bytes are copied within the call.
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func take(_ count: Int, _ bytes: [UInt8], _ at: inout Int) -> [UInt8]? {
        guard count <= bytes.count - at else { return nil }
        defer { at += count }
        return Array(bytes[at..<at + count])
    }

    private static func read<Number: FixedWidthInteger>(
        _ type: Number.Type,
        _ bytes: [UInt8],
        _ at: inout Int
    ) -> Number? {
        guard let some = take(MemoryLayout<Number>.size, bytes, &at) else { return nil }
        return some.reversed().reduce(0) { $0 << 8 | Number($1) }
    }
}
