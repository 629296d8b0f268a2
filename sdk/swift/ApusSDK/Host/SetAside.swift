import CApusPlugin

/// Records that were emitted but found no room, in their order, with copies of their bytes.
struct SetAside {
    private struct Entry {
        let output: UInt32
        let kind: UInt8
        let hasKey: Bool
        let keyByteCount: Int
        let valueByteCount: Int
        let time: Int64
        let offset: Int
    }

    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    private var writtenCount = 0

    /// Whether there is nothing to write.
    var isEmpty: Bool { writtenCount == entries.count }

    /// How many records are held, those that were written already included.
    var count: Int { entries.count }

    /// Adds a record.
    mutating func append(
        _ value: Bytes,
        _ key: Bytes?,
        _ time: Int64,
        _ kind: UInt8,
        _ output: UInt32
    ) {
        entries.append(
            Entry(
                output: output,
                kind: kind,
                hasKey: key != nil,
                keyByteCount: key?.count ?? 0,
                valueByteCount: value.count,
                time: time,
                offset: bytes.count
            )
        )
        if let key { bytes.append(contentsOf: key) }
        bytes.append(contentsOf: value)
    }

    /// Forgets the last records.
    mutating func truncate(to count: Int) {
        guard count < entries.count else { return }
        bytes.removeLast(bytes.count - entries[count].offset)
        entries.removeLast(entries.count - count)
    }

    /// Writes as much as the host takes.
    ///
    /// - Returns: Whether that was all.
    mutating func write(to context: UnsafeMutablePointer<apus_ctx>) -> Bool {
        while writtenCount < entries.count {
            guard write(entries[writtenCount], to: context) else { return false }
            writtenCount += 1
        }
        entries.removeAll(keepingCapacity: entries.count <= Frame.chunkCount)
        bytes.removeAll(keepingCapacity: bytes.count <= 1 << 20)
        writtenCount = 0
        return true
    }

    private func write(_ entry: Entry, to context: UnsafeMutablePointer<apus_ctx>) -> Bool {
        // SAFETY: the output's index was checked when the record was emitted; key and value are
        // within `bytes`, at the places where `append` put them.
        guard let output = context.pointee.outs[Int(entry.output)] else { return true }
        return bytes.withUnsafeBytes { bytes in
            // An empty array may lend no address; a key without bytes still needs one.
            let start = bytes.baseAddress ?? Bytes.empty.start
            let key = start + entry.offset
            let code = apus_emit(
                output,
                entry.hasKey ? key : nil,
                UInt32(entry.keyByteCount),
                key + entry.keyByteCount,
                UInt32(entry.valueByteCount),
                entry.time
            )
            guard code == APUS_OK else { return false }
            output.pointee.kind[Int(output.pointee.count) - 1] |= entry.kind
            return true
        }
    }
}
