import ApusMemory
import Glibc

/// A source that plays a list of steps, or makes records for ever.
final class ScriptedSource: RecordSource {
    /// What happens next.
    enum Step: Sendable {
        /// A record comes.
        case record(TestRecord)
        /// Something malformed comes.
        case reject(String)
        /// The batch ends here.
        case cut
        /// Nothing comes until the gate is open.
        case wait(Gate)
        /// The batch ends here, and so many microseconds pass.
        case pause(UInt32)
        /// The call does not return until the gate is open.
        case block(Gate)
        /// The source breaks.
        case fail(String)
    }

    /// What a test sees of a source from outside.
    final class Watch: Sendable {
        /// Records appended.
        let readCount = Tally()
        let closeCount = Tally()
        /// Whether the source has a position to go back to.
        let isResumable: Bool

        init(isResumable: Bool = true) { self.isResumable = isResumable }
    }

    private let steps: [Step]
    private let endless: (@Sendable (Int) -> TestRecord)?
    private let key: (any KeyExtractor)?
    private let watch: Watch
    private var next = 0

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - steps: What happens, in order.
    ///   - endless: Makes record n, after the steps, for ever; nil for an end.
    ///   - key: Takes keys out, when the plan has pushed that down to the source.
    ///   - watch: Counts along.
    init(
        _ steps: [Step],
        endless: (@Sendable (Int) -> TestRecord)? = nil,
        key: (any KeyExtractor)? = nil,
        watch: Watch
    ) {
        self.steps = steps
        self.endless = endless
        self.key = key
        self.watch = watch
    }

    func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        let progress = try fill(batch, reject: reject)
        watch.readCount.add(batch.count)
        key?.extract(batch)
        return progress
    }

    private func fill(
        _ batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        while batch.count < batch.recordCapacity {
            guard next < steps.count else {
                guard let endless else { return .ended }
                batch.append(endless(next - steps.count))
                next += 1
                continue
            }
            switch steps[next] {
            case .record(let record):
                batch.append(record)
            case .reject(let text):
                let position = "line \(next)"
                next += 1  // Before the throw, as a real source would be behind the record.
                try reject(
                    RejectedRecord(
                        position: position,
                        reason: "malformed",
                        bytes: Array(text.utf8)
                    )
                )
                continue
            case .cut:
                next += 1
                return .advanced
            case .pause(let microseconds):
                next += 1
                usleep(microseconds)
                return .advanced
            case .block(let gate):
                while !gate.isOpen { usleep(1000) }
            case .wait(let gate):
                if !gate.isOpen { return .nothingYet }
            case .fail(let message):
                throw EndpointError(message)
            }
            next += 1
        }
        return .advanced
    }

    /// The step that comes next.
    var position: [UInt8]? {
        watch.isResumable ? withUnsafeBytes(of: Int64(next).littleEndian) { Array($0) } : nil
    }

    func seek(to position: [UInt8]) throws(EndpointError) {
        guard position.count == 8 else { throw EndpointError("not a position of this source") }
        next = Int(position.reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) })
    }

    func close() { watch.closeCount.add(1) }
}

/// Takes what stands before the first ':' of a value as its key.
final class PrefixKeyExtractor: KeyExtractor {
    func extract(_ batch: RecordBatch) {
        for index in 0..<batch.count {
            let value = batch.bytes(of: batch.values + index)
            // Copied: the arena may move while the key is stored in it.
            let key = value.firstIndex(of: UInt8(ascii: ":")).map { Array(value[..<$0]) }
            key?.withUnsafeBytes {
                _ = batch.store($0.baseAddress, count: $0.count, in: batch.keys + index)
            }
            batch.kinds[index] = key == nil ? 4 : 0
        }
    }
}
