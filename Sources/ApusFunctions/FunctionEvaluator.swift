import ApusGraph
package import ApusMemory
import CApusFunctions
import CApusGuard
import CApusPlugin

/// Calls a C function for the records of batches: an operator's work on one subtask.
///
/// Reads the arguments of many records, makes the calls in one go, writes the results.  Nothing is
/// allocated per record unless it is rejected.  One thread.
package final class FunctionEvaluator {
    /// A record that was not an argument, or had no result.
    package struct Rejection {
        /// Its index in the batch.
        package let record: Int
        /// Why.
        package let reason: String
    }

    /// Records that are evaluated at a time.
    private static let capacity = 1024

    private let function: BoundFunction
    private let site: FunctionSite
    private let reader: ArgumentReader
    private let writer: ResultWriter?
    private let produced: FunctionSignature.Output
    private let isString: Bool
    /// Whether the thread has a stack on which a stack overflow can be reported.
    private var isThreadPrepared = false
    /// The record of each row.
    private let records: UnsafeMutablePointer<Int>
    private let lengths: UnsafeMutablePointer<Int>
    private let text: UnsafeMutablePointer<apus_text>
    private let calls: UnsafeMutablePointer<apus_calls>
    private let error: UnsafeMutablePointer<apus_error>
    private var output: RecordBatch
    /// The rows whose call ended with an exception, and its text.
    private var thrown: [Int: String] = [:]

    /// What was rejected of the last batch, in no particular order.
    package private(set) var rejections: [Rejection] = []

    /// Creates an evaluator.
    ///
    /// - Parameters:
    ///   - function: What is called.
    ///   - owner: The operator and subtask, for crash reports: `operator power, subtask 1`.
    ///   - recordsPerBatch: Records that a batch usually has.
    package init(_ function: BoundFunction, owner: String, recordsPerBatch: Int) {
        self.function = function
        produced = function.signature.output
        isString = produced == .string
        site = FunctionSite("function \(function.description.name), \(owner)")
        reader = ArgumentReader(function.description, capacity: Self.capacity)
        if case .map(let place) = function.description.use {
            writer = ResultWriter(function.description, place: place)
        } else {
            writer = nil
        }
        // SAFETY: all of this is freed in deinit; the C side keeps none of it.
        records = .allocate(capacity: Self.capacity)
        records.initialize(repeating: 0, count: Self.capacity)
        lengths = .allocate(capacity: Self.capacity)
        lengths.initialize(repeating: 0, count: Self.capacity)
        text = .allocate(capacity: 1)
        text.initialize(to: apus_text())
        error = .allocate(capacity: 1)
        error.initialize(to: apus_error())
        calls = .allocate(capacity: 1)
        calls.initialize(
            to: apus_calls(
                function: function.pointer,
                rows: reader.memory.rows,
                results: reader.memory.results,
                lengths: lengths,
                text: text,
                count: 0,
                at: 0
            )
        )
        output = RecordBatch(recordCapacity: recordsPerBatch, arenaCapacity: 64 << 10)
    }

    deinit {
        apus_text_destroy(text)
        text.deallocate()
        records.deallocate()
        lengths.deallocate()
        calls.deallocate()
        error.deallocate()
    }

    /// Evaluates a batch.
    ///
    /// Always on the same thread.
    ///
    /// - Parameter batch: Must outlive what is done with the result.
    /// - Returns: The records that are kept, with their results; valid until the next call.
    /// - Throws: ``FunctionError`` when the function has failed for all of them.
    package func evaluate(_ batch: RecordBatch) throws(FunctionError) -> RecordBatch {
        if !isThreadPrepared {
            apus_guard_prepare_thread()
            isThreadPrepared = true
        }
        rejections.removeAll(keepingCapacity: true)
        if output.recordCapacity < batch.count {
            output = RecordBatch(recordCapacity: batch.count, arenaCapacity: 64 << 10)
        }
        var view = batch.view(input: 0, isKeyed: false)
        // SAFETY: the caller keeps the batch for as long as it uses the output.
        withUnsafePointer(to: &view) { output.reset(borrowingFrom: $0) }
        var start = 0
        while start < batch.count {
            let end = min(batch.count, start + Self.capacity)
            try evaluate(batch, start..<end)
            start = end
        }
        return output
    }

    private func evaluate(_ batch: RecordBatch, _ range: Range<Int>) throws(FunctionError) {
        reader.begin(batch, range)
        var rowCount = 0
        for record in range {
            if let reason = reader.read(batch, record, row: rowCount) {
                rejections.append(Rejection(record: record, reason: reason))
            } else {
                records[rowCount] = record
                rowCount += 1
            }
        }
        guard rowCount > 0 else { return }
        try call(rowCount)
        var count = output.count
        for row in 0..<rowCount where keep(batch, row, as: count) { count += 1 }
        output.count = count
    }

    // MARK: - Calls

    /// Makes the calls of all rows.
    private func call(_ rowCount: Int) throws(FunctionError) {
        reader.memory.setCount(rowCount)
        text.pointee.used = 0
        thrown.removeAll(keepingCapacity: true)
        calls.pointee.at = 0
        while true {
            calls.pointee.count = function.signature.isBatch ? 1 : rowCount
            let status = run()
            if status == APUS_OK { return }
            let message = exceptionText
            guard status == APUS_EXCEPTION else {
                throw FunctionError(
                    "function \(function.description.name)",
                    "no memory for strings"
                )
            }
            guard !function.signature.isBatch else {
                throw FunctionError(
                    "function \(function.description.name)",
                    "threw an exception: \(message)"
                )
            }
            thrown[calls.pointee.at] = message
            calls.pointee.at += 1
            if calls.pointee.at >= rowCount { return }
        }
    }

    private func run() -> Int32 {
        error.pointee.size = UInt32(MemoryLayout<apus_error>.size)
        error.pointee.len = 0
        guard let lock = function.lock else { return runUnlocked() }
        return lock.withLock { runUnlocked() }
    }

    private func runUnlocked() -> Int32 {
        // SAFETY: rows, results and texts have room for the rows that `calls` speaks of.
        apus_guard_call(site.pointer, "call", apus_function_run, calls, error)
    }

    private var exceptionText: String {
        withUnsafeBytes(of: &error.pointee.message) { bytes in
            String(decoding: bytes[..<min(Int(error.pointee.len), bytes.count)], as: UTF8.self)
        }
    }

    // MARK: - Results

    private func result(_ row: Int) -> FunctionResult {
        let memory = reader.memory
        let address = UnsafeRawPointer(memory.results) + row * memory.resultStride
        guard isString else {
            return FunctionResult(address: address, text: nil)
        }
        // SAFETY: the C side has put the offset of each string where the result was.
        let length = lengths[row]
        guard length != Int(bitPattern: UInt.max), let bytes = text.pointee.bytes else {
            return FunctionResult(address: address, text: nil)
        }
        let offset = Int(memory.results[row].u64)
        return FunctionResult(
            address: address,
            text: UnsafeRawBufferPointer(start: bytes + offset, count: length)
        )
    }

    /// Adds what becomes of a row's record to the output, as its record `index`.
    ///
    /// - Returns: Whether anything was added.
    private func keep(_ batch: RecordBatch, _ row: Int, as index: Int) -> Bool {
        let record = records[row]
        if !thrown.isEmpty, let message = thrown[row] {
            let reason = "\(function.description.symbol) threw an exception: \(message)"
            rejections.append(Rejection(record: record, reason: reason))
            return false
        }
        let result = result(row)
        if let writer {
            let problem = writer.write(
                result,
                into: batch.bytes(of: batch.values + record),
                at: reader.places[row],
                to: output,
                as: index
            )
            if let problem {
                rejections.append(Rejection(record: record, reason: problem))
                return false
            }
            output.kinds[index] = batch.kinds[record] & ~UInt8(APUS_KIND_NULL_VALUE)
        } else {
            guard passes(result, record) else { return false }
            // The same bytes, by the number of their buffer.
            output.values[index] = batch.values[record]
            output.kinds[index] = batch.kinds[record]
        }
        output.keys[index] = batch.keys[record]
        output.times[index] = batch.times[record]
        return true
    }

    private func passes(_ result: FunctionResult, _ record: Int) -> Bool {
        if function.description.noValue == .reject, result.isNothing(produced) {
            let word = result.nothingInWords(produced)
            let reason = "\(function.description.symbol) returned \(word)"
            rejections.append(Rejection(record: record, reason: reason))
            return false
        }
        guard case .number(let type) = produced else { return false }
        return result.isTrue(type)
    }
}
