/// What a program header says: a part of the file that the loader maps or reads.
struct ElfSegment {
    /// The kinds that are looked at.
    enum Kind {
        static let load: UInt32 = 1
        static let dynamic: UInt32 = 2
        static let note: UInt32 = 4
        static let threadLocal: UInt32 = 7
        static let stack: UInt32 = 0x6474_e551
        static let readOnlyAfterRelocation: UInt32 = 0x6474_e552
        static let property: UInt32 = 0x6474_e553
    }

    let kind: UInt32
    let flags: UInt32
    let offset: UInt64
    let address: UInt64
    let fileByteCount: UInt64
    let memoryByteCount: UInt64
    let alignment: UInt64

    /// The size of a program header.
    static let headerByteCount = 56
    /// No library needs more memory than that.
    private static let memoryByteCountMax: UInt64 = 1 << 40

    /// Reads a program header and checks that the part lies inside of the file.
    init(_ bytes: ElfBytes, at header: Int) throws(Finding) {
        kind = UInt32(try bytes.integer(at: header, byteCount: 4))
        flags = UInt32(try bytes.integer(at: header + 4, byteCount: 4))
        offset = try bytes.integer(at: header + 8, byteCount: 8)
        address = try bytes.integer(at: header + 16, byteCount: 8)
        fileByteCount = try bytes.integer(at: header + 32, byteCount: 8)
        memoryByteCount = try bytes.integer(at: header + 40, byteCount: 8)
        alignment = try bytes.integer(at: header + 48, byteCount: 8)
        // A stack has no bytes; what an unknown kind means by its numbers is not known.
        guard kind != Kind.stack else { return }
        try bytes.range(of: "a segment", start: offset, byteCount: fileByteCount)
        guard kind == Kind.load else { return }
        let (_, overflow) = address.addingReportingOverflow(memoryByteCount)
        guard memoryByteCount >= fileByteCount, memoryByteCount <= Self.memoryByteCountMax,
            !overflow
        else {
            throw Finding.damaged(
                "A2",
                "a segment of \(fileByteCount) bytes says that it takes \(memoryByteCount) bytes "
                    + "of memory; the file is damaged, build or copy it again",
                expected: "at least as much memory as bytes, and less than 1 TiB",
                found: "\(memoryByteCount) bytes of memory for \(fileByteCount) bytes"
            )
        }
    }

    /// Whether it may be executed.
    var isExecutable: Bool { flags & 1 != 0 }

    /// Where an address of it is in the file; nil when it is not in the file.
    func fileOffset(of target: UInt64) -> (offset: Int, left: UInt64)? {
        guard target >= address, target - address < fileByteCount else { return nil }
        let distance = target - address
        // Both were checked against the end of the file.
        return (Int(offset + distance), fileByteCount - distance)
    }
}
