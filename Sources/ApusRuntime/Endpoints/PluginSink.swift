import ApusCore
import ApusMemory
import ApusPluginHost

/// A sink of a plugin that takes records at once, on one subtask.
final class PluginSink: RecordSink {
    private let instance: SinkInstance
    private let clock: any Clock
    /// The first record of the batch in hand that is not taken.
    private var next = 0
    private var rejected: [RejectedRecord] = []

    init(_ instance: SinkInstance, clock: any Clock) {
        self.instance = instance
        self.clock = clock
    }

    func open() throws(EndpointError) {
        do throws(PluginError) {
            _ = try instance.open(nowMicroseconds: clock.wallMicroseconds())
        } catch {
            throw EndpointError(error.description)
        }
    }

    func write(_ batch: RecordBatch) throws(EndpointError) {
        let now = clock.wallMicroseconds()
        while next < batch.count {
            let outcome = instance.write(
                batch,
                from: next,
                watermark: .min,
                nowMicroseconds: now
            )
            switch outcome {
            case .done: next = batch.count
            case .again(let at): next = at
            case .badRecord(let at, let reason):
                rejected.append(batch.rejected(at, reason: reason))
                next = at + 1
            case .retry(let reason):
                // The same batch comes again, and goes on at `next`.
                throw EndpointError(reason, isRetryable: true)
            case .failed(let error): throw EndpointError(error.description)
            }
        }
        next = 0
    }

    func takeRejected() -> [RejectedRecord] {
        guard !rejected.isEmpty else { return [] }
        defer { rejected = [] }
        return rejected
    }

    var asksForPatience: Bool { true }

    func flush() throws(EndpointError) {
        switch instance.flush(nowMicroseconds: clock.wallMicroseconds()) {
        case .done: return
        case .retry(let reason): throw EndpointError(reason, isRetryable: true)
        case .failed(let error): throw EndpointError(error.description)
        }
    }

    func close() throws(EndpointError) {
        do throws(PluginError) {
            try instance.close(nowMicroseconds: clock.wallMicroseconds())
        } catch {
            throw EndpointError(error.description)
        }
    }
}
