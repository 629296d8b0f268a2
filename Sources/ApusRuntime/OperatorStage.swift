import ApusCore
import ApusMemory
import ApusPluginHost
import ApusState
import CApusPlugin

/// A plugin's operator at work on one subtask.
final class OperatorStage: Stage {
    private let instance: OperatorInstance
    private let ports: [OutputPort]
    private let deadLetters: any DeadLetters
    private lazy var rejects = RejectHandler(deadLetters: deadLetters, counters: counters)
    private let clock: any Clock
    private let timers = TimerBatch()
    private let isKeyed: Bool
    private var isOpen = false

    init(
        instance: OperatorInstance,
        ports: [OutputPort],
        deadLetters: any DeadLetters,
        clock: any Clock,
        node: String,
        nodeIndex: Int,
        channelCount: Int
    ) {
        self.instance = instance
        self.ports = ports
        self.clock = clock
        isKeyed = instance.description.isKeyed
        self.deadLetters = deadLetters
        super.init(node: node, nodeIndex: nodeIndex, channelCount: channelCount)
    }

    override func open() throws(JobFailure) {
        do {
            try instance.open(nowMicroseconds: clock.wallMicroseconds())
        } catch {
            throw fail(error)
        }
        isOpen = true
        try drain()
    }

    // MARK: - Records

    override func process(_ batch: RecordBatch, input: Int) throws(JobFailure) {
        var view = batch.view(input: UInt32(truncatingIfNeeded: input), isKeyed: isKeyed)
        let now = clock.wallMicroseconds()
        var at = 0
        while at < batch.count {
            let outcome = withUnsafePointer(to: &view) {
                instance.process($0, from: at, watermark: watermark, nowMicroseconds: now)
            }
            at = try settle(outcome, batch, count: batch.count)
        }
    }

    /// Delivers what a callback wrote, and tells at which record to go on.
    private func settle(
        _ outcome: CallOutcome,
        _ batch: RecordBatch,
        count: Int
    ) throws(JobFailure) -> Int {
        if case .failed(let error) = outcome { throw fail(error) }
        try drain()
        switch outcome {
        case .done: return count
        case .again(let at): return at
        case .badRecord(let at, let reason):
            try rejects.reject(batch.rejected(at, reason: reason), node: node)
            return at + 1
        case .failed(let error): throw fail(error)
        }
    }

    private func drain() throws(JobFailure) {
        for (index, output) in instance.outputs.enumerated() where !output.isEmpty {
            let port = ports[index]
            try output.drain { (batch: RecordBatch) throws(JobFailure) in
                counters.addOut(batch.count)
                try port.send(batch)
            }
        }
    }

    // MARK: - Time

    override func advance(to time: Int64) throws(JobFailure) {
        try fireTimers(.event, upTo: time)
        let outcome = instance.onWatermark(time, nowMicroseconds: clock.wallMicroseconds())
        if case .failed(let error) = outcome { throw fail(error) }
        try drain()
        reportState()
        for port in ports { try port.sendWatermark(time) }
    }

    override func advanceProcessingTime(to now: Int64) throws(JobFailure) -> Bool {
        guard isOpen, nextProcessingTime <= now else { return false }
        try fireTimers(.processing, upTo: now)
        return true
    }

    override var nextProcessingTime: Int64 {
        instance.state?.nextTimerTime(.processing) ?? .max
    }

    private func fireTimers(_ domain: KeyedState.TimerDomain, upTo time: Int64) throws(JobFailure) {
        guard let state = instance.state else { return }
        while state.takeDue(domain, upTo: time, into: timers) {
            counters.addTimersFired(timers.count)
            var at = 0
            while at < timers.count {
                let outcome = instance.onTimers(
                    timers,
                    domain: domain,
                    from: at,
                    watermark: watermark,
                    nowMicroseconds: clock.wallMicroseconds()
                )
                at = try settle(outcome, timers.records, count: timers.count)
            }
        }
    }

    override func becomeIdle() throws(JobFailure) {
        for port in ports { try port.sendIdle() }
    }

    // MARK: - The end

    override func finish() throws(JobFailure) {
        reportState()
        isOpen = false
        do {
            try instance.close(watermark: watermark, nowMicroseconds: clock.wallMicroseconds())
        } catch {
            throw fail(error)
        }
        try drain()
        for port in ports { try port.sendEnd() }
    }

    override func flush() throws(JobFailure) -> Bool {
        var hadAny = false
        for port in ports where try port.flush() { hadAny = true }
        return hadAny
    }

    override func requestStop() { instance.requestStop() }

    /// Timers that are armed.
    var armedTimerCount: Int {
        (instance.state?.timerCount(.processing) ?? 0) + (instance.state?.timerCount(.event) ?? 0)
    }

    /// The plugin's own counters.
    var pluginCounters: [(name: String, value: UInt64)] { instance.counters }

    private func reportState() {
        guard let state = instance.state else { return }
        counters.setState(keyCount: state.keyCount, byteCount: state.byteCount)
    }

    private func fail(_ error: PluginError) -> JobFailure {
        JobFailure(.plugin, node: node, error.description)
    }
}
