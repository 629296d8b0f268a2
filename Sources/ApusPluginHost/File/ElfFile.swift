/// The parts of an ELF file that can be checked before any of its code runs.
///
/// Reads the file header, the program headers and the section headers from bytes in memory; every
/// access is checked against the end, so that a truncated or hostile file is an error and nothing
/// else.  Layout: System V ABI, "ELF-64 Object File Format", little-endian.
///
///     offset  type  field of the file header     meaning
///          0  4     magic                        0x7f "ELF"
///          4  u8    class                        2 = 64 bit
///          5  u8    data                         1 = little-endian
///         16  u16   type                         3 = shared object
///         18  u16   machine                      62 = x86-64, 183 = aarch64
///         32  u64   program header offset
///         40  u64   section header offset
///         54  u16   program header entry size    56
///         56  u16   program header count
///         58  u16   section header entry size    64
///         60  u16   section header count
///         62  u16   number of the section with the sections' names
struct ElfFile {
    let bytes: ElfBytes
    let segments: [ElfSegment]
    let sections: [ElfSection]

    #if arch(x86_64)
    private static let machine = 62
    #elseif arch(arm64)
    private static let machine = 183
    #endif

    /// The name of this machine.
    static var hostMachine: String { machineName(machine) }

    /// Checks the headers.
    ///
    /// - Throws: ``Finding`` that says what does not hold.
    init(_ content: [UInt8]) throws(Finding) {
        let bytes = ElfBytes(content)
        self.bytes = bytes
        try Self.checkHeader(bytes, content)
        segments = try Self.readSegments(bytes)
        sections = try ElfSection.readAll(bytes)
    }

    /// The first segment of a kind.
    func segment(_ kind: UInt32) -> ElfSegment? { segments.first { $0.kind == kind } }

    /// The first section of a name.
    func section(_ name: String) -> ElfSection? { sections.first { $0.name == name } }

    /// Where an address is in the file.
    ///
    /// - Parameters:
    ///   - address: As the dynamic section has it.
    ///   - byteCount: How many bytes from there on must be in the same segment.
    /// - Returns: The byte's number in the file.
    /// - Throws: ``Finding`` when the table is not in the file as a whole.
    func fileOffset(of address: UInt64, byteCount: UInt64 = 1) throws(Finding) -> Int {
        for segment in segments where segment.kind == ElfSegment.Kind.load {
            guard let place = segment.fileOffset(of: address) else { continue }
            guard byteCount <= place.left else { break }
            return place.offset
        }
        throw Finding.damaged(
            "A2",
            "a table of its dynamic section lies outside of the file; the file is damaged",
            expected: "tables inside of the segments that are loaded",
            found: "one of \(byteCount) bytes at address \(address)"
        )
    }

    // MARK: - Headers

    private static func checkHeader(_ bytes: ElfBytes, _ content: [UInt8]) throws(Finding) {
        guard content.count >= 4, content[0...3].elementsEqual([0x7f, 0x45, 0x4c, 0x46]) else {
            throw Finding.damaged(
                "A1",
                "not an ELF file; expected a shared library (.so)",
                expected: "a shared library (.so)",
                found: content.isEmpty ? "an empty file" : "a file of another kind",
                fix: "give the path of the compiled plugin"
            )
        }
        guard content.count >= 64 else { throw bytes.truncated("the file header", end: 64) }
        guard content[4] == 2, content[5] == 1 else {
            throw Finding.damaged(
                "A1",
                "a 32-bit or big-endian ELF file; expected 64-bit little-endian",
                expected: "64-bit little-endian",
                found: "class \(content[4]), byte order \(content[5])",
                fix: "compile the plugin for this machine"
            )
        }
        let machine = try bytes.small(at: 18, byteCount: 2)
        guard machine == Self.machine else {
            throw Finding.damaged(
                "A1",
                "built for \(machineName(machine)), this machine is \(hostMachine); compile the "
                    + "plugin for this machine",
                expected: hostMachine,
                found: machineName(machine),
                fix: "compile the plugin for this machine"
            )
        }
        let type = try bytes.small(at: 16, byteCount: 2)
        guard type == 3 else {
            throw Finding.damaged(
                "A1",
                "not a shared object; link it with -shared (and compile with -fPIC)",
                expected: "a shared object (type 3)",
                found: "type \(type)",
                fix: "link it with -shared (and compile with -fPIC)"
            )
        }
    }

    private static func readSegments(_ bytes: ElfBytes) throws(Finding) -> [ElfSegment] {
        let start = try bytes.integer(at: 32, byteCount: 8)
        let size = try bytes.small(at: 54, byteCount: 2)
        let count = try bytes.small(at: 56, byteCount: 2)
        guard size == ElfSegment.headerByteCount, count > 0, count < 1024 else {
            throw Finding.damaged(
                "A2",
                "its program headers make no sense",
                expected: "1 to 1023 of \(ElfSegment.headerByteCount) bytes",
                found: "\(count) of \(size) bytes"
            )
        }
        let range = try bytes.range(
            of: "its program headers",
            start: start,
            byteCount: UInt64(count * size)
        )
        var segments: [ElfSegment] = []
        for header in stride(from: range.lowerBound, to: range.upperBound, by: size) {
            segments.append(try ElfSegment(bytes, at: header))
        }
        return segments
    }

    private static func machineName(_ machine: Int) -> String {
        switch machine {
        case 3: "x86 (32 bit)"
        case 40: "ARM (32 bit)"
        case 62: "x86-64"
        case 183: "aarch64"
        case 243: "RISC-V"
        default: "machine \(machine)"
        }
    }
}
