import ApusCheckpoint
import ApusMemory
import ApusPluginHost

/// Deals the splits of a source out to its subtasks, each with the position that it had.
///
/// The n-th split that the plugin names goes to subtask n modulo the number of subtasks, at any
/// parallelism.  Pure.
struct SplitDealing: Equatable {
    /// What a subtask gets.
    struct Hand: Equatable {
        /// Its splits.
        var splits: [SourceInstance.Split] = []
        /// The newest event time of the slowest subtask that had one of them; `Int64.min` for none.
        var newestTime = Int64.min
        /// The watermark of that one; `Int64.min` for none.
        var watermark = Int64.min
    }

    /// The most splits that are gone whose positions are kept.
    static let vanishedCountMax = 10_000

    /// By subtask.
    private(set) var hands: [Hand]
    /// Those that the checkpoint knew and that are no longer there, for the first time.
    private(set) var missing: [SourceInstance.Split] = []
    /// All of them whose positions are to be kept.
    private(set) var vanished: [SourceInstance.Split] = []

    /// Deals.
    ///
    /// - Parameters:
    ///   - names: The splits there are.
    ///   - old: The source's subtasks in the checkpoint; empty for none.
    ///   - subtaskCount: How many subtasks there are now.
    /// - Throws: ``EndpointError`` when the checkpoint has no positions of splits.
    init(
        _ names: [[UInt8]],
        from old: [SourceState],
        to subtaskCount: Int
    ) throws(EndpointError) {
        var owners: [[UInt8]: (position: [UInt8]?, owner: Int)] = [:]
        var gone: [[UInt8]: [UInt8]?] = [:]
        var order: [[UInt8]] = []
        for (index, state) in old.enumerated() {
            let positions = try SplitPositions(state.position)
            for split in positions.splits {
                owners[split.name] = (split.position, index)
                order.append(split.name)
            }
            for split in positions.vanished where gone[split.name] == nil {
                gone[split.name] = split.position
                order.append(split.name)
            }
        }
        hands = Array(repeating: Hand(), count: subtaskCount)
        var owned = Array(repeating: Set<Int>(), count: subtaskCount)
        for (index, name) in names.enumerated() {
            let subtask = index % subtaskCount
            let known = owners[name]
            let position = known?.position ?? gone[name] ?? nil
            hands[subtask].splits.append(SourceInstance.Split(name: name, position: position))
            // One that nobody had counts as one of each, so that no time is too late for it.
            if let known {
                owned[subtask].insert(known.owner)
            } else {
                owned[subtask].formUnion(old.indices)
            }
        }
        for subtask in 0..<subtaskCount {
            let states = owned[subtask].map { old[$0] }
            hands[subtask].newestTime = states.map { $0.newestMicroseconds ?? .min }.min() ?? .min
            hands[subtask].watermark = states.map { $0.watermarkMicroseconds ?? .min }.min() ?? .min
        }
        let present = Set(names)
        for name in order where !present.contains(name) {
            if let owner = owners[name] {
                let split = SourceInstance.Split(name: name, position: owner.position)
                missing.append(split)
                vanished.append(split)
            } else {
                vanished.append(SourceInstance.Split(name: name, position: gone[name] ?? nil))
            }
        }
        vanished = vanished.suffix(Self.vanishedCountMax)
    }
}
