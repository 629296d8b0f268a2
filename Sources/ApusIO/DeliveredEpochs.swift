import ApusMemory

/// How far the output of each subtask has been delivered.
struct DeliveredEpochs: Equatable {
    /// The newest epoch by subtask; all before it are delivered, too.
    private var epochs: [Int: UInt64] = [:]

    init() {}

    /// Reads what ``append(to:)`` wrote.
    ///
    /// - Throws: ``EndpointError`` when it is damaged.
    init(_ reader: inout PositionReader) throws(EndpointError) {
        for _ in 0..<(try reader.takeCount()) {
            let subtask = try reader.takeCount()
            epochs[subtask] = try reader.takeWord()
        }
    }

    /// Subtasks in ascending order, each with its newest epoch.
    var sorted: [(subtask: Int, epoch: UInt64)] {
        epochs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func append(to writer: inout PositionWriter) {
        writer.append(epochs.count)
        for (subtask, epoch) in sorted {
            writer.append(subtask)
            writer.append(epoch)
        }
    }

    func contains(_ output: SealedOutput) -> Bool { contains(output.subtask, output.epoch) }

    func contains(_ subtask: Int, _ epoch: UInt64) -> Bool {
        epochs[subtask].map { epoch <= $0 } ?? false
    }

    mutating func add(_ output: SealedOutput) { epochs[output.subtask] = output.epoch }

    /// The outputs that are not delivered, in the order in which they will be.
    func missing(of outputs: [SealedOutput]) -> [SealedOutput] {
        outputs.filter { !contains($0) }
            .sorted { ($0.epoch, $0.subtask) < ($1.epoch, $1.subtask) }
    }
}
