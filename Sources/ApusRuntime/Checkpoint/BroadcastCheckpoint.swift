import ApusCheckpoint
import ApusPluginHost
import ApusState

/// The broadcast state of an operator on its way into a checkpoint, once for all its subtasks.
///
/// On the checkpoint thread.
struct BroadcastCheckpoint {
    /// Why a checkpoint cannot have it.
    struct Difference: Error, CustomStringConvertible {
        let description: String
    }

    /// The operator's id.
    let node: String
    /// What it declares.
    let declared: [BroadcastDescription]
    /// The entries of each map.
    private let contents: [[BroadcastEntry]]

    /// Takes the broadcast state out of the reports of an operator's subtasks.
    ///
    /// - Returns: Nil for an operator that has none.
    /// - Throws: ``Difference`` when the subtasks do not hold the same.
    init?(
        _ node: String,
        _ description: ComponentDescription,
        _ reports: [SubtaskReport]
    ) throws(Difference) {
        guard !description.broadcasts.isEmpty else { return nil }
        self.node = node
        declared = description.broadcasts
        var found: BroadcastSnapshot?
        var first: (subtask: Int, digests: [BroadcastDigest])?
        for report in reports.sorted(by: { $0.subtask < $1.subtask }) {
            guard case .operator(let snapshot) = report.content else { continue }
            found = found ?? snapshot.broadcast
            guard let reference = first else {
                first = (report.subtask.subtask, snapshot.broadcastDigests)
                continue
            }
            try Self.compare(
                node,
                declared,
                reference,
                (report.subtask.subtask, snapshot.broadcastDigests)
            )
        }
        guard let found else { preconditionFailure("subtask 0 has walked its maps") }
        contents = found.contents
    }

    private static func compare(
        _ node: String,
        _ declared: [BroadcastDescription],
        _ first: (subtask: Int, digests: [BroadcastDigest]),
        _ other: (subtask: Int, digests: [BroadcastDigest])
    ) throws(Difference) {
        for (index, (one, two)) in zip(first.digests, other.digests).enumerated()
        where one != two {
            throw Difference(
                description:
                    "operator '\(node)': the broadcast state '\(declared[index].name)' has "
                    + "\(one.entryCount) entries in subtask \(first.subtask) and "
                    + "\(two.entryCount) in subtask \(other.subtask), or others; expected the same "
                    + "in all: process_broadcast may depend on the broadcast records alone, and "
                    + "not on the order between several senders or inputs"
            )
        }
    }

    /// What the file holds.
    var bytes: [UInt8] { BroadcastFile.encode(contents) }

    /// What the manifest says.
    func reference(to file: FileEntry) -> BroadcastReference {
        let maps = zip(declared, contents).map { state, entries in
            BroadcastReference.Map(
                name: state.name,
                schemaVersion: state.schemaVersion,
                schema: state.schema,
                entryCount: entries.count
            )
        }
        return BroadcastReference(maps: maps, contentName: file.contentName)
    }
}
