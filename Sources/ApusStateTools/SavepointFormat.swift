/// The state files of a savepoint: `state-<operator number>-<part>.apus`.
///
/// All integers are big-endian.  A file is a header, blocks, and an end block, and nothing else.
///
/// | header | bytes | what |
/// |---|---|---|
/// | 0 | 7 | `APUSSAV` in ASCII |
/// | 7 | 1 | version of the format: 1 |
/// | 8 | 2 | operator number |
/// | 10 | 2 | 0 |
/// | 12 | 4 | part, from 0 |
/// | 16 | 8 | number of the checkpoint that the savepoint was made of |
/// | 24 | 4 | 0 |
/// | 28 | 4 | CRC-32C of bytes 0 ... 27 |
///
/// | block | bytes | what |
/// |---|---|---|
/// | 0 | 4 | n: bytes of the entries, 1 ... 2^31 - 1 |
/// | 4 | 4 | number of entries, at least 1 |
/// | 8 | 4 | CRC-32C of bytes 0 ... 7 and of the entries |
/// | 12 | n | entries |
///
/// | entry | bytes | what |
/// |---|---|---|
/// | 0 | 4 | k: bytes of the key |
/// | 4 | 4 | v: bytes of the value |
/// | 8 | k | key |
/// | 8 + k | v | value |
///
/// | end block | bytes | what |
/// |---|---|---|
/// | 0 | 4 | 0 |
/// | 4 | 4 | 0 |
/// | 8 | 8 | number of blocks |
/// | 16 | 8 | number of entries |
/// | 24 | 8 | bytes of all keys and values |
/// | 32 | 16 | XXH3-128 (seed 0) of all bytes of the file before this field |
///
/// Keys are in the order of their bytes, each once, over all parts of an operator; they and their
/// values are those of the state database.
enum SavepointFormat {
    static let magic: [UInt8] = Array("APUSSAV".utf8)
    static let version: UInt8 = 1
    static let headerByteCount = 32
    static let blockHeaderByteCount = 12
    static let endByteCount = 48
    static let entryHeaderByteCount = 8
    /// A block is closed when it has so many bytes.
    static let blockByteCount = 256 << 10
    /// A part is closed when it has so many bytes.
    static let partByteCount = 256 << 20
    /// The file with the manifest.
    static let manifestName = "savepoint.json"

    /// The name of a part.
    static func fileName(operatorNumber: UInt16, part: Int) -> String {
        "state-\(operatorNumber)-\(part).apus"
    }
}
