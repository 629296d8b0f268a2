import ApusCore
import ApusMemory
import ApusPluginHost
import ApusState
import CApusPlugin

/// One instance of an operator, driven as a job drives it, by the same parts of the host.
///
/// One thread at a time.
final class OperatorRun {
    let instance: OperatorInstance
    /// What it did so far.
    private(set) var transcript: Transcript
    /// What it wrote in the callbacks since this was last emptied, by output.
    var recent: [[OutputRecord]]
    /// How many records it was given.
    private(set) var recordCount = 0
    /// Whether asynchronous calls are given up at once, so that nothing waits for them.
    var givesUpCalls = true
    /// Called before each callback; nil for nothing.
    var beforeCallback: (() -> Void)?

    private(set) var watermark: Int64
    private(set) var now: Int64
    private let timers = TimerBatch()
    let isKeyed: Bool
    /// As often as a callback may stop in a batch before that is called endless.
    private static let stopCountMax = 200_000

    /// Creates an instance.
    ///
    /// - Throws: ``CheckStop`` when the plugin refuses the configuration, or breaks the contract.
    init(
        _ plugin: LoadedPlugin,
        _ bench: CheckBench,
        image: StateImage? = nil,
        watermark: Int64 = .min,
        now: Int64 = Workload.start,
        async: AsyncSettings = AsyncSettings()
    ) throws {
        var arguments = InstanceArguments(
            job: "check",
            operatorID: "check",
            configuration: bench.configuration,
            subtask: 0,
            parallelism: 1,
            groups: KeyGroups(count: 128),
            recordsPerBatch: 1024
        )
        arguments.async = async
        arguments.broadcasts = image?.broadcasts
        arguments.operatorState = image?.operatorState
        do throws(PluginError) {
            instance = try OperatorInstance(
                plugin: plugin,
                component: bench.componentIndex,
                arguments: arguments
            )
        } catch {
            throw Self.stop(error, "create")
        }
        self.watermark = watermark
        self.now = now
        isKeyed = instance.description.isKeyed
        transcript = Transcript(outputCount: instance.outputs.count)
        recent = Array(repeating: [], count: instance.outputs.count)
    }

    /// Opens the instance.
    ///
    /// - Throws: ``CheckStop`` when it cannot begin.
    func open() throws {
        beforeCallback?()
        do throws(PluginError) {
            try instance.open(nowMicroseconds: now)
        } catch {
            throw Self.stop(error, "open")
        }
        drain()
    }

    /// Closes the instance.
    func close() throws {
        beforeCallback?()
        do throws(PluginError) {
            try instance.close(watermark: watermark, nowMicroseconds: now)
        } catch {
            throw CheckStop.fail(error.message)
        }
        drain()
    }

    /// Takes the instance's state; the instance is good for nothing but to be closed afterwards.
    func takeImage(keys: [[UInt8]]) -> StateImage {
        transcript.image = StateImage(of: instance, keys: keys)
        return transcript.image
    }

    /// Forgets what was written so far.
    func forgetOutput() {
        transcript.outputs = Array(repeating: [], count: instance.outputs.count)
        recent = transcript.outputs
        transcript.rejected = []
    }

    // MARK: - Steps

    /// Does a step; records come in batches of sizes that `batchSize` tells.
    func take(_ step: Workload.Step, batchSize: (Int) -> Int = { $0 }) throws {
        switch step {
        case .records(let input, let records):
            try inBatches(records, batchSize) { try process($0, input: input) }
        case .broadcast(let input, let records):
            try inBatches(records, batchSize) { try processBroadcast($0, input: input) }
        case .watermark(let time): try advance(to: time)
        case .clock(let time): try advanceClock(to: time)
        }
    }

    private func inBatches(
        _ records: [InputRecord],
        _ batchSize: (Int) -> Int,
        _ body: (ArraySlice<InputRecord>) throws -> Void
    ) throws {
        var first = 0
        while first < records.count {
            let count = max(1, min(batchSize(records.count - first), records.count - first))
            try body(records[first..<first + count])
            first += count
        }
    }

    func process(_ records: ArraySlice<InputRecord>, input: Int = 0) throws {
        guard transcript.failure == nil else { return }
        recordCount += records.count
        let batch = Self.batch(of: records)
        var view = batch.view(input: UInt32(truncatingIfNeeded: input), isKeyed: isKeyed)
        try settled(batch, count: batch.count) { at in
            // SAFETY: the plugin may use the view during the call only; the batch outlives it.
            withUnsafePointer(to: &view) {
                instance.process($0, from: at, watermark: watermark, nowMicroseconds: now)
            }
        }
    }

    private func processBroadcast(_ records: ArraySlice<InputRecord>, input: Int) throws {
        guard transcript.failure == nil else { return }
        let batch = Self.batch(of: records)
        var view = batch.view(input: UInt32(truncatingIfNeeded: input), isKeyed: false)
        try settled(batch, count: batch.count) { at in
            // SAFETY: as in `process`.
            withUnsafePointer(to: &view) {
                instance.processBroadcast($0, from: at, watermark: watermark, nowMicroseconds: now)
            }
        }
    }

    func advance(to time: Int64) throws {
        guard time > watermark else { return }
        watermark = time
        try fire(.event, upTo: time)
        guard transcript.failure == nil else { return }
        beforeCallback?()
        let outcome = instance.onWatermark(time, nowMicroseconds: now)
        if case .failed(let error) = outcome { return try fail(error) }
        drain()
    }

    func advanceClock(to time: Int64) throws {
        now = max(now, time)
        try fire(.processing, upTo: now)
        try fireOverdue()
    }

    private func fireOverdue() throws {
        guard let state = instance.state, state.nextTimerTime(.event) <= watermark else { return }
        transcript.hasOverdueTimers = true
        try fire(.event, upTo: watermark)
    }

    private func fire(_ domain: KeyedState.TimerDomain, upTo time: Int64) throws {
        guard let state = instance.state else { return }
        // Timers that set timers that are due: as many as there are time for, and no more.
        var left = 20_000
        while transcript.failure == nil, left > 0, state.takeDue(domain, upTo: time, into: timers) {
            left -= timers.count
            try settled(timers.records, count: timers.count) { at in
                instance.onTimers(
                    timers,
                    domain: domain,
                    from: at,
                    watermark: watermark,
                    nowMicroseconds: now
                )
            }
        }
    }

    /// Calls again until all records are done, as the contract says.
    func settled(
        _ batch: RecordBatch,
        count: Int,
        _ call: (Int) -> CallOutcome
    ) throws {
        var at = 0
        var stopCount = 0
        while at < count, transcript.failure == nil {
            beforeCallback?()
            let outcome = call(at)
            if case .failed(let error) = outcome { return try fail(error) }
            drain()
            switch outcome {
            case .done: at = count
            case .again(let next): at = next
            case .badRecord(let bad, let reason):
                reject(batch, bad, reason)
                at = bad + 1
            case .failed(let error): return try fail(error)
            }
            stopCount += 1
            guard stopCount < Self.stopCountMax else {
                throw CheckStop.fail("it stopped \(stopCount) times in one batch, at last at \(at)")
            }
            if batch !== timers.records { try fireOverdue() }
            giveUpCalls()
        }
    }

    private func giveUpCalls() {
        guard givesUpCalls, let calls = instance.calls else { return }
        _ = calls.takeBegun()
        _ = calls.takeCompleted { calls.free($0) }
        calls.giveUpAll {
            instance.cancel($0)
            calls.free($0)
        }
    }

    // MARK: - What comes out

    func reject(_ batch: RecordBatch, _ index: Int, _ reason: String) {
        transcript.rejected.append(
            Transcript.Rejected(record: Self.record(batch, index), reason: reason)
        )
    }

    func drain() {
        for (port, output) in instance.outputs.enumerated() where !output.isEmpty {
            output.drain { batch in
                for index in 0..<batch.count {
                    let record = Self.record(batch, index)
                    transcript.outputs[port].append(record)
                    recent[port].append(record)
                }
            }
        }
    }

    private static func record(_ batch: RecordBatch, _ index: Int) -> OutputRecord {
        let kind = batch.kinds[index]
        return OutputRecord(
            key: kind & UInt8(APUS_KIND_NULL_KEY) != 0
                ? nil : Array(batch.bytes(of: batch.keys + index)),
            value: kind & UInt8(APUS_KIND_NULL_VALUE) != 0
                ? nil : Array(batch.bytes(of: batch.values + index)),
            time: batch.times[index]
        )
    }

    static func batch(of records: ArraySlice<InputRecord>) -> RecordBatch {
        let byteCount = records.reduce(16) { $0 + ($1.key?.count ?? 0) + ($1.value?.count ?? 0) }
        let batch = RecordBatch(recordCapacity: max(1, records.count), arenaCapacity: byteCount)
        for record in records {
            let value = record.value ?? []
            _ = value.withUnsafeBytes { value in
                guard let key = record.key else {
                    return batch.append(key: nil, value: value, time: record.time)
                }
                return key.withUnsafeBytes {
                    batch.append(key: $0, value: value, time: record.time)
                }
            }
            if record.value == nil {
                batch.kinds[batch.count - 1] |= UInt8(APUS_KIND_NULL_VALUE)
            }
        }
        KeyHash.fill(batch)
        return batch
    }

    // MARK: - Failures

    /// A failure that a plugin may report is part of what it did; a broken contract is not.
    func fail(_ error: PluginError) throws {
        if Self.isBreach(error) { throw CheckStop.fail("\(Self.place(error))\(error.message)") }
        transcript.failure = error.message
    }

    private static func stop(_ error: PluginError, _ callback: String) -> CheckStop {
        if isBreach(error) { return .fail("\(callback) \(error.message)") }
        return .skip(
            "\(callback) says: \(error.message); give it what it needs with --config"
        )
    }

    private static func place(_ error: PluginError) -> String {
        error.subject.split(separator: ", ").last.map { $0 + ": " } ?? ""
    }

    private static func isBreach(_ error: PluginError) -> Bool {
        ["broke the contract", "threw an exception", "returned "]
            .contains { error.message.hasPrefix($0) }
    }
}
