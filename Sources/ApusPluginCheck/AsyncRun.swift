import ApusCore
import ApusIO
import ApusMemory
import ApusPluginHost
import CApusPlugin

/// An operator that makes asynchronous calls at work, with the host's own places for calls.
///
/// Simpler than a job: all calls of a portion are awaited before the next one.
final class AsyncRun {
    let run: OperatorRun
    /// What results that leave as they are have brought, in words.
    private(set) var emitted: [String] = []
    /// Calls that have not been completed in time.
    private(set) var unansweredCount = 0
    /// Calls that were begun.
    private(set) var begunCount = 0

    private let calls: AsyncCalls
    private let bell = Doorbell()
    private let clock = LinuxClock()

    init(_ plugin: LoadedPlugin, _ bench: CheckBench, _ settings: AsyncSettings) throws {
        run = try OperatorRun(plugin, bench, async: settings)
        guard let calls = run.instance.calls else {
            throw CheckStop.skip("it makes no asynchronous calls")
        }
        self.calls = calls
        run.givesUpCalls = false
        let bell = bell
        calls.inbox.ring { bell.ring() }
        try run.open()
    }

    /// Gives records, in portions for which there are places.
    ///
    /// - Parameters:
    ///   - records: The records.
    ///   - isAgain: Whether they are given once more, after a restart.
    ///   - awaits: Whether results are awaited; otherwise calls stay under way.
    /// - Throws: ``CheckStop`` when the plugin breaks the contract.
    func process(_ records: [InputRecord], isAgain: Bool = false, awaits: Bool = true) throws {
        let batch = OperatorRun.batch(of: records[...])
        var view = batch.view(input: 0, isKeyed: run.isKeyed)
        if isAgain { view.flags = APUS_BATCH_AGAIN }
        var at = 0
        var stuckCount = 0
        while at < batch.count, run.transcript.failure == nil {
            let before = at
            view.count = UInt32(min(batch.count, at + calls.freeCount))
            // SAFETY: the plugin may use the view during the call only; the batch outlives it.
            let outcome = withUnsafePointer(to: &view) {
                run.instance.process(
                    $0,
                    from: at,
                    watermark: run.watermark,
                    nowMicroseconds: clock.wallMicroseconds()
                )
            }
            begunCount += calls.takeBegun().count
            if case .failed(let error) = outcome { return try run.fail(error) }
            run.drain()
            switch outcome {
            case .done: at = Int(view.count)
            case .again(let next): at = next
            case .badRecord(let bad, let reason):
                run.reject(batch, bad, reason)
                at = bad + 1
            case .failed: return
            }
            if awaits || calls.freeCount == 0 { try awaitAll() }
            stuckCount = at == before ? stuckCount + 1 : 0
            guard stuckCount < 3 else {
                throw CheckStop.fail(
                    "it begins more calls for one record than the capacity of "
                        + "\(calls.settings.capacity), or yields without progress"
                )
            }
        }
    }

    /// Waits for all calls, and delivers them.
    private func awaitAll() throws {
        let deadline = clock.monotonicNanoseconds() + 5_000_000_000
        while !calls.isEmpty {
            let done = takeDone()
            if !done.isEmpty { try deliver(done) }
            guard !calls.isEmpty else { return }
            guard clock.monotonicNanoseconds() < deadline else { return giveUp() }
            bell.sleep(nanoseconds: 10_000_000) { calls.inbox.hasAny }
        }
    }

    private func takeDone() -> [AsyncCall] {
        var done: [AsyncCall] = []
        // First, so that a call whose time is up is given up even if its answer is near.
        calls.takeDue(now: clock.wallMicroseconds()) { call in
            run.instance.cancel(call)
            done.append(call)
        } again: { _ in
        }
        let events = calls.takeCompleted { done.append($0) }
        for event in events {
            _ = run.instance.onEvent(
                event,
                watermark: run.watermark,
                nowMicroseconds: clock.wallMicroseconds()
            )
            run.drain()
        }
        return done
    }

    private func deliver(_ done: [AsyncCall]) throws {
        defer { for call in done { calls.free(call) } }
        guard run.instance.hasOnAsync else {
            for call in done { emit(call) }
            return
        }
        let records = RecordBatch(recordCapacity: done.count, arenaCapacity: 64 * done.count)
        for call in done {
            let record = call.record
            let index = records.count
            _ = records.append(
                key: record.isNullKey(0) ? nil : record.bytes(of: record.keys),
                value: record.bytes(of: record.values),
                time: record.times[0]
            )
            records.hashes[index] = record.hashes[0]
            records.kinds[index] = record.kinds[0]
        }
        try run.settled(records, count: done.count) { at in
            run.instance.onAsync(
                done,
                records,
                from: at,
                watermark: run.watermark,
                nowMicroseconds: clock.wallMicroseconds()
            )
        }
    }

    private func emit(_ call: AsyncCall) {
        guard call.status >= 0 else {
            emitted.append("code \(call.status)")
            return
        }
        // SAFETY: the bytes belong to the call's results, which live until it is freed.
        for result in call.results.map({ Array($0.records) }) ?? [] {
            let value = UnsafeRawBufferPointer(
                start: result.value.data,
                count: Int(result.value.len)
            )
            emitted.append("output \(result.port): \(OutputRecord.text(Array(value)))")
        }
    }

    /// Gives up what is under way, as at the end of a job.
    func giveUp() {
        calls.giveUpAll { call in
            unansweredCount += 1
            run.instance.cancel(call)
            calls.free(call)
        }
    }

    /// Closes the instance, with calls under way or not.
    func close() throws {
        giveUp()
        if run.transcript.failure == nil { try run.close() }
    }

    /// Everything that came out, in no order.
    var results: [String] {
        (emitted + run.transcript.outputs.joined().map(\.text)).sorted()
    }
}
