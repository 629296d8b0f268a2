import ApusMemory
import ApusPluginHost

/// Where the splits of a subtask of a plugin's source stand, as a position in a checkpoint.
///
/// Integers are big-endian:
///
///     offset  size
///          0     1  0x58
///          1     1  version: 1
///          2     4  number of splits that are read
///          6     4  number of splits that were not there any more at the start
///         10        for each: size of the name (2), name, size of the position (4), position
///
/// The size 0xffffffff stands for no position: the split has not been opened yet.
struct SplitPositions: Equatable {
    private static let kind: UInt8 = 0x58
    private static let version: UInt8 = 1

    /// The splits that are read.
    var splits: [SourceInstance.Split] = []
    /// Splits that an earlier checkpoint knew and that were not there any more.
    var vanished: [SourceInstance.Split] = []

    var bytes: [UInt8] {
        var bytes = [Self.kind, Self.version]
        Self.append(splits.count, 4, to: &bytes)
        Self.append(vanished.count, 4, to: &bytes)
        for split in splits + vanished {
            Self.append(split.name.count, 2, to: &bytes)
            bytes += split.name
            Self.append(split.position?.count ?? 0xffff_ffff, 4, to: &bytes)
            bytes += split.position ?? []
        }
        return bytes
    }

    private static func append(_ value: Int, _ byteCount: Int, to bytes: inout [UInt8]) {
        for index in (0..<byteCount).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index)))
        }
    }
}

extension SplitPositions {
    /// Reads a position.
    ///
    /// - Throws: ``EndpointError`` when the bytes are not those of splits, or are damaged.
    init(_ bytes: [UInt8]) throws(EndpointError) {
        guard bytes.first == Self.kind else {
            throw EndpointError(
                "the checkpoint has the position of another kind of source here: the job was "
                    + "changed; change it back, or start it without the checkpoint"
            )
        }
        guard bytes.count > 1, bytes[1] == Self.version else {
            throw EndpointError(
                "the checkpoint's position has another version than \(Self.version), which this "
                    + "program knows: use the program that wrote it"
            )
        }
        var rest = bytes[2...]
        let splitCount = try Self.takeNumber(4, &rest)
        let vanishedCount = try Self.takeNumber(4, &rest)
        for index in 0..<splitCount + vanishedCount {
            let name = try Self.take(try Self.takeNumber(2, &rest), &rest)
            let count = try Self.takeNumber(4, &rest)
            let position = count == 0xffff_ffff ? nil : try Self.take(count, &rest)
            let split = SourceInstance.Split(name: name, position: position)
            if index < splitCount { splits.append(split) } else { vanished.append(split) }
        }
        guard rest.isEmpty else { throw Self.damaged }
    }

    private static func takeNumber(
        _ byteCount: Int,
        _ rest: inout ArraySlice<UInt8>
    ) throws(EndpointError) -> Int {
        try take(byteCount, &rest).reduce(0) { $0 << 8 | Int($1) }
    }

    private static func take(
        _ count: Int,
        _ rest: inout ArraySlice<UInt8>
    ) throws(EndpointError) -> [UInt8] {
        guard count <= rest.count else { throw damaged }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    private static var damaged: EndpointError {
        EndpointError("the checkpoint's position is damaged: start from another checkpoint")
    }
}
