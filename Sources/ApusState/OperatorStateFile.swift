/// The items of a list.
package typealias OperatorStateItems = [[UInt8]]

/// The file of a checkpoint or savepoint that has the operator state of an operator, of all its
/// subtasks.
///
/// Numbers are little-endian:
///
///     offset      bytes
///     0           "APUSOPST"
///     8           u32 format version, 1
///     12          u32 number of lists, 1 or more, in the order of their declaration
///     16          u32 number of subtasks, in the order of their indexes; then for each of them,
///                 and for each list of it:
///                 u64 number of items, in their order; then for each:
///                 u32 length, bytes
///
/// Nothing follows the last item.  The file is checked by its name, which is its content's hash.
package enum OperatorStateFile {
    private static let magic = Array("APUSOPST".utf8)
    private static let version: UInt32 = 1

    /// The bytes of a file.
    ///
    /// - Parameter subtasks: A snapshot of each subtask, in the order of their indexes.
    /// - Returns: All bytes of it.
    package static func encode(_ subtasks: [OperatorStateSnapshot]) -> [UInt8] {
        var file = begin(listCount: subtasks.first?.lists.count ?? 0, subtasks.count)
        for list in subtasks.flatMap(\.lists) {
            file.add(UInt64(list.count))
            for chunk in list.chunks { file.add(chunk) }
        }
        return file.bytes
    }

    /// The bytes of a file, of items one by one.
    ///
    /// - Parameter subtasks: The lists of each subtask.
    /// - Returns: All bytes of it.
    package static func encode(_ subtasks: [[OperatorStateItems]]) -> [UInt8] {
        var file = begin(listCount: subtasks.first?.count ?? 0, subtasks.count)
        for items in subtasks.flatMap({ $0 }) {
            file.add(UInt64(items.count))
            for item in items {
                file.add(UInt32(item.count))
                file.add(item)
            }
        }
        return file.bytes
    }

    private static func begin(listCount: Int, _ subtaskCount: Int) -> StateFileWriter {
        precondition(listCount > 0, "an operator without operator state has no such file")
        var file = StateFileWriter(magic: magic, version: version)
        file.add(UInt32(listCount))
        file.add(UInt32(subtaskCount))
        return file
    }

    /// Adds an item to a part of a file.
    static func append(_ item: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        // SAFETY: the bytes are copied within the call.
        withUnsafeBytes(of: UInt32(item.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: item)
    }

    /// Reads a file.
    ///
    /// - Returns: The lists of each subtask; nil when it is damaged, or of a newer format.
    package static func decode(_ bytes: [UInt8]) -> [[OperatorStateItems]]? {
        guard var file = StateFileReader(bytes, magic: magic, version: version),
            let listCount = file.read(UInt32.self), listCount > 0,
            let subtaskCount = file.read(UInt32.self)
        else { return nil }
        var subtasks: [[OperatorStateItems]] = []
        for _ in 0..<subtaskCount {
            var lists: [OperatorStateItems] = []
            for _ in 0..<listCount {
                guard let items = readItems(&file) else { return nil }
                lists.append(items)
            }
            subtasks.append(lists)
        }
        return file.isAtEnd ? subtasks : nil
    }

    private static func readItems(_ file: inout StateFileReader) -> OperatorStateItems? {
        guard let itemCount = file.read(UInt64.self) else { return nil }
        var items: OperatorStateItems = []
        for _ in 0..<itemCount {
            guard let count = file.read(UInt32.self), let item = file.take(Int(count)) else {
                return nil
            }
            items.append(item)
        }
        return items
    }
}
