import ApusCore
import ApusMemory
import Synchronization

/// Looks at which versions of the operators of a diamond have handled each record.
///
/// Values are those of the benchmark plugin's `stamp`: 16 bytes, the versions of `top`, `left`,
/// `right` and `bottom` from the 9th on, 0 for one that the record has not met.
final class MixtureSink: RecordSink {
    private let found: MixtureTally
    private var tally = MixtureTally.Content()

    init(_ found: MixtureTally) { self.found = found }

    // doc: inherited
    func write(_ batch: RecordBatch) throws(EndpointError) {
        for index in 0..<batch.count {
            let value = batch.bytes(of: batch.values + index)
            let key = batch.bytes(of: batch.keys + index)
            guard value.count == 16, key.count == 8 else {
                throw EndpointError(
                    "expected keys of 8 bytes and values of 16, found \(key.count) and "
                        + "\(value.count)"
                )
            }
            // SAFETY: the key has 8 bytes, the value 16.
            tally.add(
                number: UInt64(littleEndian: key.loadUnaligned(as: UInt64.self)),
                top: value[8],
                left: value[9],
                right: value[10],
                bottom: value[11]
            )
        }
        found.isHere(batch.count)
    }

    // doc: inherited
    func flush() throws(EndpointError) {}

    // doc: inherited
    func close() throws(EndpointError) { found.add(tally) }
}

/// What the ``MixtureSink``s of a job have seen.
package final class MixtureTally: Sendable {
    /// Counts.
    package struct Content: Equatable, Sendable {
        /// Records that came by `left`, and by `right`.
        package var counts = [0, 0]
        /// The sums of their numbers, mixed.
        package var sums: [UInt64] = [0, 0]
        /// Records that different versions have handled.
        package var mixed = 0
        /// Records that came by neither way or by both, or past an operator.
        package var strange = 0
        /// Records by the version of `bottom`, 1 or 2.
        package var versions = [0, 0]

        /// Creates counts of nothing.
        package init() {}

        /// Adds a record.
        package mutating func add(
            number: UInt64,
            top: UInt8,
            left: UInt8,
            right: UInt8,
            bottom: UInt8
        ) {
            guard (left == 0) != (right == 0), (1...2).contains(top), (1...2).contains(bottom)
            else {
                strange += 1
                return
            }
            let way = left == 0 ? 1 : 0
            counts[way] += 1
            sums[way] &+= SplitMix64.mix(number)
            versions[Int(bottom) - 1] += 1
            if top != bottom || left | right != top { mixed += 1 }
        }

        mutating func add(_ other: Content) {
            for way in 0..<2 {
                counts[way] += other.counts[way]
                sums[way] &+= other.sums[way]
                versions[way] += other.versions[way]
            }
            mixed += other.mixed
            strange += other.strange
        }

        /// Whether each of so many records, whose numbers have this sum, came by both ways once, as
        /// far as sums can tell.
        package func isWhole(count: Int, sum: UInt64) -> Bool {
            counts == [count, count] && sums == [sum, sum] && strange == 0
        }
    }

    private let content: Mutex<Content> = Mutex(Content())
    private let arrived: Atomic<Int> = Atomic(0)

    func add(_ part: Content) { content.withLock { $0.add(part) } }
    func isHere(_ count: Int) { arrived.add(count, ordering: .relaxed) }
    /// How many records have come.
    var arrivedCount: Int { arrived.load(ordering: .relaxed) }
    /// What was found, once the job has ended.
    var result: Content { content.withLock { $0 } }
}
