package import ApusCore
package import ApusMemory

/// Makes up records that depend on nothing but their number and the seed.
///
/// The records of a job are numbered 0, 1, 2 ... ; subtask s of P makes s, s + P, s + 2P ..., so
/// that all subtasks together make the same records whatever P is.  To go on from a position takes
/// the same P: subtasks do not stand at the same record.
package final class GeneratorSource: RecordSource {
    /// What is made.
    package enum Kind: Equatable, Sendable {
        /// Records with one of `keyCount` keys, 8 bytes (little-endian, uniform below `keyCount`),
        /// and a value of `valueByteCount` bytes: the record's number in 8 bytes (little-endian),
        /// then zeros.
        case keyed(keyCount: Int, valueByteCount: Int)
        /// Records without a key; the value is `{"sequence":n}`.
        case impulse
    }

    /// What event times records have.
    package enum Time: Equatable, Sendable {
        /// None.
        case none
        /// Record n has the time start + n × step, in microseconds since 1970.
        case perRecord(startMicroseconds: Int64, stepMicroseconds: Int64)
    }

    /// The highest rate that is kept; higher ones mean "as fast as possible".
    private static let recordsPerSecondMax = 1_000_000_000
    /// Records become due in slices of this length.
    private static let sliceNanoseconds: Int64 = 1_000_000

    private let kind: Kind
    private let end: Int
    private let recordsPerSecond: Int64?
    private let seed: UInt64
    private let subtask: Int
    private let stride: Int
    private let time: Time
    private let clock: any Clock
    private var next: Int
    /// How many records of the whole job had been due when this source began.
    private var dueAtStart = 0
    private var startNanoseconds: Int64?

    /// Creates a generator; it begins with the first read.
    ///
    /// - Parameters:
    ///   - kind: What is made.
    ///   - count: How many records all subtasks make together; nil for no end.
    ///   - recordsPerSecond: How many records all subtasks make per second; nil for as fast as
    ///     possible.  Who was held up makes up for it.
    ///   - seed: Decides the keys.
    ///   - subtask: Which subtask this is, from 0.
    ///   - subtaskCount: How many there are.
    ///   - time: What event times records have.
    ///   - clock: Asked once per batch, and only when there is a rate.
    package init(
        kind: Kind,
        count: Int? = nil,
        recordsPerSecond: Int? = nil,
        seed: UInt64 = 1,
        subtask: Int = 0,
        subtaskCount: Int = 1,
        time: Time = .none,
        clock: any Clock
    ) {
        precondition(subtask >= 0 && subtask < subtaskCount, "the subtasks are 0 ..< count")
        if case .keyed(let keyCount, let valueByteCount) = kind {
            precondition(keyCount >= 1, "at least one key")
            precondition((8...256 << 10).contains(valueByteCount), "8 to 262144 bytes per value")
        }
        self.kind = kind
        // Room behind the end, so that the next number can always be computed.
        end = min(count ?? .max, Int.max - RecordBatch.recordCapacityMax * subtaskCount)
        self.recordsPerSecond = recordsPerSecond.flatMap { rate in
            precondition(rate >= 1, "at least one record per second")
            return rate > Self.recordsPerSecondMax ? nil : Int64(rate)
        }
        self.seed = seed
        self.subtask = subtask
        self.stride = subtaskCount
        self.time = time
        self.clock = clock
        next = subtask
    }

    // doc: inherited
    package func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        guard next < end else { return .ended }
        let limit = min(end, dueCount())
        guard next < limit else { return .nothingYet }
        let count = min((limit - next + stride - 1) / stride, batch.recordCapacity)
        let made =
            switch kind {
            case .keyed(let keyCount, let valueByteCount):
                KeyedFill(seed: seed, keyCount: keyCount, valueByteCount: valueByteCount)
                    .fill(batch, count: count, first: next, stride: stride)
            case .impulse:
                ImpulseFill.fill(batch, count: count, first: next, stride: stride)
            }
        fillTimes(of: batch, count: made)
        batch.count = made
        next += made * stride
        return .advanced
    }

    // doc: inherited
    package var position: [UInt8]? { placed(at: next).bytes }

    // doc: inherited
    package func seek(to position: [UInt8]) throws(EndpointError) {
        let saved = try GeneratorPosition(position)
        try placed(at: next).check(against: saved)
        next = min(saved.next, Int.max - RecordBatch.recordCapacityMax * stride)
        // The time that the job did not run is not made up for.
        dueAtStart = next - subtask
    }

    private func placed(at number: Int) -> GeneratorPosition {
        GeneratorPosition(
            next: number,
            subtask: subtask,
            subtaskCount: stride,
            seed: seed,
            kind: kind,
            time: time
        )
    }

    // doc: inherited
    package func close() {}

    /// How many records of the whole job are due by now.
    private func dueCount() -> Int {
        guard let recordsPerSecond else { return .max }
        let now = clock.monotonicNanoseconds()
        let start = startNanoseconds ?? now
        startNanoseconds = start
        // Whole slices: batches of one record each would cost more than they hurry.
        let elapsed = (now - start) / Self.sliceNanoseconds * Self.sliceNanoseconds
        let (seconds, rest) = elapsed.quotientAndRemainder(dividingBy: 1_000_000_000)
        // 292 years at the highest rate fit; the first record is due at once.
        let due = Int(seconds * recordsPerSecond + rest * recordsPerSecond / 1_000_000_000) + 1
        return due > Int.max - dueAtStart ? .max : dueAtStart + due
    }

    private func fillTimes(of batch: RecordBatch, count: Int) {
        // SAFETY: count is at most the capacity of the columns.
        let times = batch.times
        switch time {
        case .none:
            for index in 0..<count { times[index] = EventTime.none.microseconds }
        case .perRecord(let start, let step):
            var value = start &+ Int64(next) &* step
            let increment = step &* Int64(stride)
            for index in 0..<count {
                times[index] = value
                value &+= increment
            }
        }
    }
}
