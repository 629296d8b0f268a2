import ApusCore

/// Reads a state file of a savepoint and checks all of it; see ``SavepointFormat``.
struct SavepointPartReader {
    private let path: String
    private let file: any ReadableFile
    private let digest = ContentDigest()
    private var blockCount: UInt64 = 0
    private var entryCount: UInt64 = 0
    private var contentByteCount: UInt64 = 0

    /// Opens a file.
    init(_ path: String, disk: any Disk) throws(StateToolError) {
        self.path = path
        do throws(DiskError) {
            file = try disk.openForReading(path)
        } catch {
            throw StateToolError(.input, error.description)
        }
    }

    /// Reads the file.
    ///
    /// - Parameters:
    ///   - operatorNumber: Whose file it must be.
    ///   - part: Which of its parts it must be.
    ///   - checkpoint: What the savepoint is made of.
    ///   - last: The last key of the part before; keys must lie behind it. Then that of this part.
    ///   - body: Called with each entry, block by block, each block checked before.
    /// - Returns: The length and hash of the file.
    /// - Throws: ``StateToolError`` that names the place of the damage, and what `body` throws.
    mutating func read(
        operatorNumber: UInt16,
        part: Int,
        checkpoint: UInt64,
        behind last: inout [UInt8],
        _ body: (StateEntry) throws(StateToolError) -> Void
    ) throws(StateToolError) -> (byteCount: Int, hash: String) {
        try readHeader(operatorNumber, part, checkpoint)
        while true {
            let head = try take(8, "a block")
            let byteCount = BigEndian.integer(head[0..<4], as: UInt32.self)
            let count = BigEndian.integer(head[4..<8], as: UInt32.self)
            if byteCount == 0 {
                guard count == 0 else { throw damage("a block without bytes has entries") }
                try readEnd()
                return (digest.byteCount, digest.digits)
            }
            guard byteCount < 1 << 31, count > 0 else { throw damage("a block's length is wrong") }
            let sum = BigEndian.integer(try take(4, "a block"), as: UInt32.self)
            let block = try take(Int(byteCount), "a block")
            guard CRC32C.of(head + block) == sum else {
                throw damage("the sum of block \(blockCount) is not that of its bytes")
            }
            try readEntries(block, Int(count), operatorNumber, &last, body)
            blockCount += 1
        }
    }

    private mutating func readHeader(
        _ operatorNumber: UInt16,
        _ part: Int,
        _ checkpoint: UInt64
    ) throws(StateToolError) {
        let header = try take(SavepointFormat.headerByteCount, "the header")
        guard header.starts(with: SavepointFormat.magic) else {
            throw damage("it does not begin with APUSSAV")
        }
        guard header[7] == SavepointFormat.version else {
            throw StateToolError(
                .input,
                "\(path): its format is \(header[7]), this Apus reads \(SavepointFormat.version); "
                    + "use the Apus that wrote it"
            )
        }
        guard CRC32C.of(Array(header[0..<28])) == BigEndian.integer(header[28..<32]) else {
            throw damage("the sum of the header is not that of its bytes")
        }
        let found = BigEndian.integer(header[8..<10], as: UInt16.self)
        guard found == operatorNumber,
            BigEndian.integer(header[12..<16], as: UInt32.self) == UInt32(part),
            BigEndian.integer(header[16..<24], as: UInt64.self) == checkpoint
        else {
            throw damage(
                "it is not part \(part) of operator \(operatorNumber) of checkpoint \(checkpoint)"
            )
        }
        guard header[10..<12].allSatisfy({ $0 == 0 }), header[24..<28].allSatisfy({ $0 == 0 })
        else { throw damage("what is unused in the header is not 0") }
    }

    private mutating func readEntries(
        _ block: [UInt8],
        _ count: Int,
        _ operatorNumber: UInt16,
        _ last: inout [UInt8],
        _ body: (StateEntry) throws(StateToolError) -> Void
    ) throws(StateToolError) {
        var at = 0
        for _ in 0..<count {
            guard block.count - at >= 8 else { throw damage("an entry is cut off") }
            let keyByteCount = BigEndian.integer(block[at..<at + 4], as: Int.self)
            let valueByteCount = BigEndian.integer(block[at + 4..<at + 8], as: Int.self)
            at += 8
            guard keyByteCount <= block.count - at,
                valueByteCount <= block.count - at - keyByteCount
            else { throw damage("an entry is cut off") }
            guard max(keyByteCount, valueByteCount) < 1 << 30 else {
                throw damage("a key or value of 2^30 bytes or more")
            }
            let key = Array(block[at..<at + keyByteCount])
            at += keyByteCount
            let value = Array(block[at..<at + valueByteCount])
            at += valueByteCount
            guard last.lexicographicallyPrecedes(key), key.count >= 5,
                BigEndian.integer(key[2..<4], as: UInt16.self) == operatorNumber
            else { throw damage("a key is out of order, or of another operator") }
            last = key
            entryCount += 1
            contentByteCount += UInt64(key.count + value.count)
            try body(StateEntry(key: key, value: value))
        }
        guard at == block.count else { throw damage("a block has bytes behind its entries") }
    }

    private mutating func readEnd() throws(StateToolError) {
        let counts = try take(24, "the end block")
        guard BigEndian.integer(counts[0..<8], as: UInt64.self) == blockCount,
            BigEndian.integer(counts[8..<16], as: UInt64.self) == entryCount,
            BigEndian.integer(counts[16..<24], as: UInt64.self) == contentByteCount
        else {
            throw damage(
                "\(entryCount) entries in \(blockCount) blocks are not what its end says"
            )
        }
        let hash = digest.bytes
        guard try take(16, "the end block") == hash else {
            throw damage("its last 16 bytes are not the hash of those before, \(digest.digits)")
        }
        guard try StateToolError.onDisk(try file.readBytes(1)).isEmpty else {
            throw damage("there is something behind the end block")
        }
    }

    private mutating func take(
        _ byteCount: Int,
        _ what: String
    ) throws(StateToolError) -> [UInt8] {
        let bytes = try StateToolError.onDisk(try file.readBytes(byteCount))
        guard bytes.count == byteCount else { throw damage("\(what) is cut off") }
        digest.add(bytes)
        return bytes
    }

    private func damage(_ what: String) -> StateToolError {
        StateToolError(
            .input,
            "\(path): damaged at byte \(digest.byteCount): \(what); make the savepoint again, or "
                + "put back a copy of the file"
        )
    }
}
