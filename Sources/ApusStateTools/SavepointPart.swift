import ApusCore

/// A state file of a savepoint that is being written; see ``SavepointFormat``.
final class SavepointPart {
    /// A part that is written.
    struct Written {
        let name: String
        let byteCount: Int
        let hash: String
    }

    private let name: String
    private let file: any WritableFile
    private let digest = ContentDigest()
    private var block: [UInt8] = []
    private var blockEntryCount: UInt32 = 0
    private var blockCount: UInt64 = 0
    private var entryCount: UInt64 = 0
    private var contentByteCount: UInt64 = 0
    private let blockByteCount: Int

    /// Creates the file.
    ///
    /// - Parameters:
    ///   - folder: The savepoint's folder.
    ///   - operatorNumber: The operator.
    ///   - part: Which of its parts.
    ///   - checkpoint: What the savepoint is made of.
    ///   - blockByteCount: When a block is closed.
    ///   - disk: The seam to files.
    /// - Throws: ``StateToolError`` when the disk refuses.
    init(
        _ folder: String,
        operatorNumber: UInt16,
        part: Int,
        checkpoint: UInt64,
        blockByteCount: Int,
        disk: any Disk
    ) throws(StateToolError) {
        name = SavepointFormat.fileName(operatorNumber: operatorNumber, part: part)
        self.blockByteCount = blockByteCount
        file = try StateToolError.onDisk(try disk.create(folder + "/" + name))
        var header = SavepointFormat.magic + [SavepointFormat.version]
        header += BigEndian.bytes(operatorNumber) + [0, 0]
        header += BigEndian.bytes(UInt32(part)) + BigEndian.bytes(checkpoint) + [0, 0, 0, 0]
        try write(header + BigEndian.bytes(CRC32C.of(header)))
    }

    /// The bytes so far.
    var byteCount: Int { digest.byteCount + block.count }

    /// Appends an entry; its key is behind the last one's.
    func add(_ entry: StateEntry) throws(StateToolError) {
        block += BigEndian.bytes(UInt32(entry.key.count))
        block += BigEndian.bytes(UInt32(entry.value.count))
        block += entry.key
        block += entry.value
        blockEntryCount += 1
        entryCount += 1
        contentByteCount += UInt64(entry.key.count + entry.value.count)
        if block.count >= blockByteCount { try writeBlock() }
    }

    /// Writes the end and waits until all is on the disk.
    func finish() throws(StateToolError) -> Written {
        try writeBlock()
        var end: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
        end += BigEndian.bytes(blockCount)
        end += BigEndian.bytes(entryCount)
        end += BigEndian.bytes(contentByteCount)
        try write(end)
        try write(digest.bytes)
        try StateToolError.onDisk(try file.synchronize())
        try StateToolError.onDisk(try file.close())
        return Written(name: name, byteCount: digest.byteCount, hash: digest.digits)
    }

    private func writeBlock() throws(StateToolError) {
        guard !block.isEmpty else { return }
        var head = BigEndian.bytes(UInt32(block.count))
        head += BigEndian.bytes(blockEntryCount)
        head += BigEndian.bytes(CRC32C.of(head + block))
        try write(head)
        try write(block)
        block.removeAll(keepingCapacity: true)
        blockEntryCount = 0
        blockCount += 1
    }

    private func write(_ bytes: [UInt8]) throws(StateToolError) {
        digest.add(bytes)
        try StateToolError.onDisk(try file.writeBytes(bytes))
    }
}
