import ApusMemory
import Synchronization

/// Takes what timers emit: the number of the timer, 8 bytes, little-endian.
final class TimerSink: RecordSink {
    private let results: TimerResults
    private var tally: TimerTally

    init(_ results: TimerResults) {
        self.results = results
        tally = TimerTally(armedCount: results.armedCount)
    }

    // doc: inherited
    func write(_ batch: RecordBatch) throws(EndpointError) {
        for index in 0..<batch.count {
            let value = batch.bytes(of: batch.values + index)
            guard value.count == 8 else {
                throw EndpointError("expected values of 8 bytes, found \(value.count)")
            }
            // SAFETY: the value has 8 bytes.
            let number = UInt64(littleEndian: value.loadUnaligned(as: UInt64.self))
            tally.add(number, time: batch.times[index])
        }
    }

    // doc: inherited
    func flush() throws(EndpointError) {}

    // doc: inherited
    func close() throws(EndpointError) { results.add(tally) }
}

/// What the ``TimerSink``s of a job have seen.
final class TimerResults: Sendable {
    let armedCount: Int
    private let sum: Mutex<TimerTally>

    init(armedCount: Int) {
        self.armedCount = armedCount
        sum = Mutex(TimerTally(armedCount: armedCount))
    }

    /// All timers, once the job has ended.
    var tally: TimerTally { sum.withLock { $0 } }

    func add(_ part: TimerTally) { sum.withLock { $0.add(part) } }
}
