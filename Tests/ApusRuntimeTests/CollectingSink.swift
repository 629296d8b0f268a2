import ApusMemory
import Glibc
import Synchronization

/// What all subtasks of a sink have got, and how the sink is to behave.
final class Collector: Sendable {
    /// How a sink misbehaves.
    struct Behaviour: Sendable {
        /// Each write takes so long.
        var writeMicroseconds: UInt32 = 0
        /// Writes wait for this.
        var gate = Gate(isOpen: true)
        /// The write that passes so many records throws.
        var failsAtRecord = Int.max
        var failsInFlush = false
        var failsInClose = false
        /// Whether records are kept; else they are only counted.
        var keepsRecords = true
    }

    let behaviour: Behaviour
    let writtenCount = Tally()
    let closeCount = Tally()
    private let kept: Mutex<[TestRecord]> = Mutex([])

    init(_ behaviour: Behaviour = Behaviour()) {
        self.behaviour = behaviour
    }

    /// The records so far, in the order in which they came.
    var records: [TestRecord] { kept.withLock { $0 } }

    /// The values so far.
    var values: [String] { records.map(\.value) }

    fileprivate func add(_ records: [TestRecord]) {
        kept.withLock { $0 += records }
    }
}

/// A sink that keeps records in memory.
final class CollectingSink: RecordSink {
    private let collector: Collector

    init(_ collector: Collector) {
        self.collector = collector
    }

    func write(_ batch: RecordBatch) throws(EndpointError) {
        let behaviour = collector.behaviour
        while !behaviour.gate.isOpen { usleep(1000) }
        if behaviour.writeMicroseconds > 0 { usleep(behaviour.writeMicroseconds) }
        if behaviour.keepsRecords { collector.add(batch.testRecords) }
        let count = collector.writtenCount.add(batch.count)
        if count >= behaviour.failsAtRecord { throw EndpointError("the disk is full") }
    }

    func flush() throws(EndpointError) {
        if collector.behaviour.failsInFlush { throw EndpointError("cannot flush") }
    }

    func close() throws(EndpointError) {
        collector.closeCount.add(1)
        if collector.behaviour.failsInClose { throw EndpointError("cannot close") }
    }
}
