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
        var file = StateFileWriter(magic: magic, version: version)
        file.add(UInt32(contents.count))
        for entries in contents {
            file.add(UInt64(entries.count))
            for entry in entries {
                file.add(UInt32(entry.key.count))
                file.add(UInt32(entry.value.count))
                file.add(entry.key)
                file.add(entry.value)
            }
        }
        return file.bytes
    }

    /// Reads a file.
    ///
    /// - Returns: The entries of each map; nil when it is damaged, or of a newer format.
    package static func decode(_ bytes: [UInt8]) -> [[BroadcastEntry]]? {
        guard var file = StateFileReader(bytes, magic: magic, version: version),
            let count = file.read(UInt32.self)
        else { return nil }
        var contents: [[BroadcastEntry]] = []
        for _ in 0..<count {
            guard let entryCount = file.read(UInt64.self) else { return nil }
            var entries: [BroadcastEntry] = []
            for _ in 0..<entryCount {
                guard let keyCount = file.read(UInt32.self),
                    let valueCount = file.read(UInt32.self),
                    let key = file.take(Int(keyCount)),
                    let value = file.take(Int(valueCount))
                else { return nil }
                if let last = entries.last, !last.key.lexicographicallyPrecedes(key) { return nil }
                entries.append(BroadcastEntry(key: key, value: value))
            }
            contents.append(entries)
        }
        return file.isAtEnd ? contents : nil
    }
}
