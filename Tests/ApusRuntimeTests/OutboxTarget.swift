import ApusMemory
import Foundation
import Synchronization

/// Where the output of a sink is seen: it outlives the job, as a file or a database does.
final class OutboxTarget: Sendable {
    /// What a delivery notes with the data.
    struct Mark: Hashable, Comparable {
        var epoch: UInt64
        var subtask: Int

        static func < (left: Mark, right: Mark) -> Bool {
            (left.epoch, left.subtask) < (right.epoch, right.subtask)
        }
    }

    fileprivate struct State {
        var records: [TestRecord] = []
        var marks: Set<Mark> = []
        var newest: Mark?
        var complaints: [String] = []
        var failuresLeft = 0
        var isBroken = false
        var sealFailuresLeft = 0
    }

    fileprivate let state: Mutex<State> = Mutex(State())
    /// How often a subtask has sealed an epoch.
    let sealCount = Tally()

    /// What readers see.
    var records: [TestRecord] { state.withLock { $0.records } }
    var values: [String] { records.map(\.value) }
    /// What deliveries must not have done.
    var complaints: [String] { state.withLock { $0.complaints } }
    /// The epochs that were delivered.
    var epochs: [UInt64] { state.withLock { Set($0.marks.map(\.epoch)).sorted() } }

    /// Makes the next deliveries fail in a way that passes.
    func fail(times count: Int) { state.withLock { $0.failuresLeft = count } }
    /// Makes all deliveries fail for good.
    func breakDown() { state.withLock { $0.isBroken = true } }
    /// Makes the next calls of seal fail in a way that passes.
    func failSealing(times count: Int) { state.withLock { $0.sealFailuresLeft = count } }
    /// How many failures are still to come.
    var failuresLeft: Int { state.withLock { $0.failuresLeft } }
}

/// A sink that writes each epoch into a file of its own.
final class OutboxSink: EpochSink {
    private let target: OutboxTarget
    private let sink: String
    private let subtask: Int
    private let folder: String
    private var text = ""

    init(_ target: OutboxTarget, _ sink: String, _ subtask: Int, folder: String) {
        self.target = target
        self.sink = sink
        self.subtask = subtask
        self.folder = folder
    }

    func write(_ batch: RecordBatch) throws(EndpointError) {
        for record in batch.testRecords { text += "\(record.time) \(record.value)\n" }
    }

    func flush() throws(EndpointError) {}

    func seal(epoch: UInt64) throws(EndpointError) -> SealedOutput {
        let isFailing = target.state.withLock { state in
            guard state.sealFailuresLeft > 0 else { return false }
            state.sealFailuresLeft -= 1
            return true
        }
        if isFailing { throw EndpointError("no space left", isRetryable: true) }
        target.sealCount.add(1)
        let bytes = Array(text.utf8)
        text = ""
        guard !bytes.isEmpty else {
            return SealedOutput(
                sink: sink,
                subtask: subtask,
                epoch: epoch,
                logPath: nil,
                byteCount: 0
            )
        }
        let path = "\(folder)/\(sink)-\(subtask)-\(epoch)-\(UUID().uuidString)"
        do { try Data(bytes).write(to: URL(filePath: path)) } catch {
            throw EndpointError("\(error)")
        }
        return SealedOutput(
            sink: sink,
            subtask: subtask,
            epoch: epoch,
            logPath: path,
            byteCount: bytes.count
        )
    }

    /// What is not sealed is nobody's.
    func close() throws(EndpointError) { text = "" }
}

/// Brings the files of ``OutboxSink`` to their target.
final class OutboxDelivery: OutputDelivery {
    private let target: OutboxTarget

    init(_ target: OutboxTarget) {
        self.target = target
    }

    var position: [UInt8] {
        let marks = target.state.withLock { $0.marks }
        return Array("v1 \(marks.sorted().map { "\($0.epoch).\($0.subtask)" })".utf8)
    }

    func restore(_ position: [UInt8], undelivered: [SealedOutput]) throws(EndpointError) {
        let text = String(decoding: position, as: UTF8.self)
        let known = Set(undelivered.map { OutboxTarget.Mark(epoch: $0.epoch, subtask: $0.subtask) })
        target.state.withLock { state in
            for mark in state.marks.sorted()
            where !known.contains(mark) && !text.contains("\"\(mark.epoch).\(mark.subtask)\"") {
                state.complaints.append("\(mark) is in the target and not in the checkpoint")
            }
        }
    }

    func deliver(_ output: SealedOutput) throws(EndpointError) {
        let mark = OutboxTarget.Mark(epoch: output.epoch, subtask: output.subtask)
        let failure: EndpointError? = target.state.withLock { state in
            if state.isBroken { return EndpointError("the table is gone") }
            guard state.failuresLeft == 0 else {
                state.failuresLeft -= 1
                return EndpointError("the disk is full", isRetryable: true)
            }
            return nil
        }
        if let failure { throw failure }
        guard let path = output.logPath else { return }
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: path)) } catch {
            throw EndpointError("\(path): \(error)")
        }
        guard data.count == output.byteCount else { throw EndpointError("\(path): other bytes") }
        let records = String(decoding: data, as: UTF8.self).split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            return TestRecord(value: String(parts[1]), time: Int64(parts[0]) ?? .min)
        }
        target.state.withLock { state in
            guard state.marks.insert(mark).inserted else { return }
            if let newest = state.newest, mark < newest {
                state.complaints.append("\(mark) after \(newest)")
            }
            state.newest = mark
            state.records += records
        }
    }
}
