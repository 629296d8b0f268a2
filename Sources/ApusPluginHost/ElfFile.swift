/// The parts of an ELF file that can be checked before any of its code runs.
///
/// Reads the file header, the program headers and the dynamic symbols from bytes in memory; every
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
///         54  u16   program header entry size    56
///         56  u16   program header count
struct ElfFile {
    private let bytes: [UInt8]
    private let file: String
    /// `vaddr`, `offset`, `fileSize` of every loadable segment.
    private var segments: [(address: UInt64, offset: UInt64, byteCount: UInt64)] = []
    private var dynamic: (offset: Int, byteCount: Int)?

    #if arch(x86_64)
    private static let machine: UInt64 = 62
    #elseif arch(arm64)
    private static let machine: UInt64 = 183
    #endif

    /// Checks the headers.
    ///
    /// - Throws: ``PluginError`` with code `notALibrary` that says what does not hold.
    init(bytes: [UInt8], file: String) throws(PluginError) {
        self.bytes = bytes
        self.file = file
        guard bytes.count >= 4, bytes[0...3].elementsEqual([0x7f, 0x45, 0x4c, 0x46]) else {
            throw refuse("not an ELF file; expected a shared library (.so)")
        }
        guard bytes.count >= 64 else { throw truncated("the file header", end: 64) }
        guard bytes[4] == 2, bytes[5] == 1 else {
            throw refuse("a 32-bit or big-endian ELF file; expected 64-bit little-endian")
        }
        let machine = try integer(at: 18, byteCount: 2)
        guard machine == Self.machine else {
            throw refuse(
                "built for \(Self.machineName(machine)), this machine is "
                    + "\(Self.machineName(Self.machine)); compile the plugin for this machine"
            )
        }
        guard try integer(at: 16, byteCount: 2) == 3 else {
            throw refuse("not a shared object; link it with -shared (and compile with -fPIC)")
        }
        try readProgramHeaders()
    }

    /// The names of the dynamic symbols that the file defines.
    ///
    /// - Throws: ``PluginError`` when the symbol table lies outside of the file.
    func definedSymbols() throws(PluginError) -> [String] {
        guard let dynamic else { throw refuse("no dynamic section; link it with -shared") }
        var tables: [UInt64: UInt64] = [:]
        for entry in stride(from: dynamic.offset, to: dynamic.offset + dynamic.byteCount, by: 16) {
            let tag = try integer(at: entry, byteCount: 8)
            if tag == 0 { break }
            tables[tag] = try integer(at: entry + 8, byteCount: 8)
        }
        // A position-independent executable looks like a shared object, but is not loadable.
        if let flags = tables[0x6fff_fffb], flags & 0x0800_0000 != 0 {
            throw refuse("an executable; expected a shared library: link it with -shared")
        }
        let (stringTag, symbolTag, hashTag, gnuHashTag): (UInt64, UInt64, UInt64, UInt64) = (
            5, 6, 4, 0x6fff_fef5
        )
        guard let strings = tables[stringTag], let symbols = tables[symbolTag] else {
            throw refuse("no dynamic symbols")
        }
        let stringsOffset = try fileOffset(of: strings)
        let symbolsOffset = try fileOffset(of: symbols)
        let count: Int
        if let hash = tables[hashTag] {
            count = Int(try integer(at: try fileOffset(of: hash) + 4, byteCount: 4))
        } else if let hash = tables[gnuHashTag] {
            count = try symbolCount(gnuHashOffset: try fileOffset(of: hash))
        } else {
            throw refuse("no hash table of its symbols")
        }
        var names: [String] = []
        for index in 0..<min(count, 1 << 20) {
            let symbol = symbolsOffset + index * 24
            let section = try integer(at: symbol + 6, byteCount: 2)
            let binding = try integer(at: symbol + 4, byteCount: 1) >> 4
            guard section != 0, binding != 0 else { continue }
            names.append(try text(at: stringsOffset + Int(try integer(at: symbol, byteCount: 4))))
        }
        return names
    }

    // MARK: - Headers

    private mutating func readProgramHeaders() throws(PluginError) {
        let offset = try integer(at: 32, byteCount: 8)
        let size = try integer(at: 54, byteCount: 2)
        let count = try integer(at: 56, byteCount: 2)
        guard size == 56, count > 0, count < 1024 else {
            throw refuse("its program headers make no sense")
        }
        try checkEnd(of: "its program headers", start: offset, byteCount: count * size)
        for index in 0..<Int(count) {
            let header = Int(offset) + index * 56
            let type = try integer(at: header, byteCount: 4)
            let start = try integer(at: header + 8, byteCount: 8)
            let address = try integer(at: header + 16, byteCount: 8)
            let byteCount = try integer(at: header + 32, byteCount: 8)
            guard type == 1 || type == 2 else { continue }
            try checkEnd(of: "a segment", start: start, byteCount: byteCount)
            if type == 1 {
                segments.append((address, start, byteCount))
            } else {
                dynamic = (Int(start), Int(byteCount))
            }
        }
        let sections = try integer(at: 40, byteCount: 8)
        let sectionBytes =
            try integer(at: 58, byteCount: 2) * (try integer(at: 60, byteCount: 2))
        try checkEnd(of: "its section headers", start: sections, byteCount: sectionBytes)
    }

    private func checkEnd(
        of part: String,
        start: UInt64,
        byteCount: UInt64
    ) throws(PluginError) {
        let (end, overflow) = start.addingReportingOverflow(byteCount)
        guard !overflow, end <= UInt64(bytes.count) else {
            throw truncated(part, end: overflow ? UInt64.max : end)
        }
    }

    /// The GNU hash table does not tell the number of symbols: the last chain's end does.
    private func symbolCount(gnuHashOffset offset: Int) throws(PluginError) -> Int {
        let bucketCount = Int(try integer(at: offset, byteCount: 4))
        let first = Int(try integer(at: offset + 4, byteCount: 4))
        let bloomCount = Int(try integer(at: offset + 8, byteCount: 4))
        let buckets = offset + 16 + bloomCount * 8
        var last = 0
        for index in 0..<bucketCount {
            last = max(last, Int(try integer(at: buckets + index * 4, byteCount: 4)))
        }
        guard last >= first else { return first }
        let chains = buckets + bucketCount * 4
        while try integer(at: chains + (last - first) * 4, byteCount: 4) & 1 == 0 { last += 1 }
        return last + 1
    }

    private func fileOffset(of address: UInt64) throws(PluginError) -> Int {
        for segment in segments where address >= segment.address {
            let distance = address - segment.address
            if distance < segment.byteCount { return Int(segment.offset + distance) }
        }
        throw refuse("a table of its dynamic section lies outside of the file; the file is damaged")
    }

    private func integer(at offset: Int, byteCount: Int) throws(PluginError) -> UInt64 {
        guard offset >= 0, byteCount <= bytes.count, offset <= bytes.count - byteCount else {
            throw refuse("a table reaches behind the end of the file; the file is damaged")
        }
        var value: UInt64 = 0
        for index in (0..<byteCount).reversed() {
            value = value << 8 | UInt64(bytes[offset + index])
        }
        return value
    }

    private func text(at offset: Int) throws(PluginError) -> String {
        guard offset >= 0, offset < bytes.count,
            let end = bytes[offset...].prefix(4096).firstIndex(of: 0)
        else { throw refuse("a symbol's name lies outside of the file; the file is damaged") }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }

    private func refuse(_ message: String) -> PluginError {
        PluginError(.notALibrary, file, message)
    }

    private func truncated(_ part: String, end: UInt64) -> PluginError {
        refuse(
            "truncated: \(part) should end at byte \(end), the file has \(bytes.count) bytes; "
                + "build or copy it again"
        )
    }

    private static func machineName(_ machine: UInt64) -> String {
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
