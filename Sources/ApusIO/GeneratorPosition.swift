import ApusMemory

/// Where a generator stands, and what it makes.
///
/// Persisted in checkpoints; integers are big-endian:
///
///     offset  size
///          0     1  0x47
///          1     1  version: 1
///          2     1  kind: 1 keyed, 2 impulse
///          3     1  1 when records have times, else 0
///          4     8  number of the next record
///         12     8  subtask
///         20     8  number of subtasks
///         28     8  seed
///         36     8  number of keys, or 0
///         44     8  bytes per value, or 0
///         52     8  time of record 0 in microseconds, or 0
///         60     8  microseconds between two records, or 0
///
/// The number is all the state there is: keys are made from it and the seed.
struct GeneratorPosition: Equatable {
    private static let version: UInt8 = 1

    var next: Int
    var subtask: Int
    var subtaskCount: Int
    var seed: UInt64
    var kind: GeneratorSource.Kind
    var time: GeneratorSource.Time

    var bytes: [UInt8] {
        var writer = PositionWriter()
        var (start, step): (Int64, Int64) = (0, 0)
        if case .perRecord(let first, let distance) = time { (start, step) = (first, distance) }
        var (keyCount, valueByteCount) = (0, 0)
        if case .keyed(let keys, let values) = kind { (keyCount, valueByteCount) = (keys, values) }
        writer.append(PositionKind.generator.rawValue)
        writer.append(Self.version)
        writer.append(UInt8(kind == .impulse ? 2 : 1))
        writer.append(UInt8(time == .none ? 0 : 1))
        writer.append(next)
        writer.append(subtask)
        writer.append(subtaskCount)
        writer.append(seed)
        writer.append(keyCount)
        writer.append(valueByteCount)
        writer.append(Int(start))
        writer.append(Int(step))
        return writer.bytes
    }

    init(
        next: Int,
        subtask: Int,
        subtaskCount: Int,
        seed: UInt64,
        kind: GeneratorSource.Kind,
        time: GeneratorSource.Time
    ) {
        self.next = next
        self.subtask = subtask
        self.subtaskCount = subtaskCount
        self.seed = seed
        self.kind = kind
        self.time = time
    }

    /// Reads a position.
    ///
    /// - Throws: ``EndpointError`` when the bytes are not a position, or not one of this version.
    init(_ bytes: [UInt8]) throws(EndpointError) {
        var reader = try PositionReader(
            bytes,
            name: "generator",
            kind: .generator,
            version: Self.version
        )
        let isImpulse = try reader.takeByte() == 2
        let hasTimes = try reader.takeByte() == 1
        next = try reader.takeCount()
        subtask = try reader.takeCount()
        subtaskCount = try reader.takeCount()
        seed = try reader.takeWord()
        let keyCount = try reader.takeCount()
        let valueByteCount = try reader.takeCount()
        let start = Int64(bitPattern: try reader.takeWord())
        let step = Int64(bitPattern: try reader.takeWord())
        try reader.finish()
        kind = isImpulse ? .impulse : .keyed(keyCount: keyCount, valueByteCount: valueByteCount)
        time = hasTimes ? .perRecord(startMicroseconds: start, stepMicroseconds: step) : .none
    }

    /// The settings, of which each decides what the records are: name, text.
    private var settings: [(name: String, text: String)] {
        let records =
            switch kind {
            case .impulse: "without keys"
            case .keyed(let keyCount, let valueByteCount):
                "with \(keyCount) keys and values of \(valueByteCount) bytes"
            }
        let times =
            switch time {
            case .none: "none"
            case .perRecord(let start, let step): "from \(start) us in steps of \(step) us"
            }
        return [
            ("records", records), ("times", times), ("seed", "\(seed)"),
            ("subtasks", "\(subtaskCount)"), ("subtask", "\(subtask)"),
        ]
    }

    /// Compares what makes the records with what made those before.
    ///
    /// - Throws: ``EndpointError`` when the records that follow would be others.
    func check(against saved: GeneratorPosition) throws(EndpointError) {
        for (mine, other) in zip(settings, saved.settings) where mine.text != other.text {
            throw EndpointError(
                "generator: \(mine.name): \(other.text) when the checkpoint was taken, and "
                    + "\(mine.text) now, which makes other records: change it back, or start the "
                    + "job without the checkpoint"
            )
        }
        guard saved.next % subtaskCount == subtask else {
            throw EndpointError(
                "generator: the checkpoint's position is damaged (record \(saved.next) is not one "
                    + "of subtask \(subtask) of \(subtaskCount)): start from another checkpoint"
            )
        }
    }
}
